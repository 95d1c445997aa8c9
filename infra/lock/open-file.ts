import { type OpenedLock, openSealedLock, peekLock } from '../../proto/lock/open.ts';
import { readLockText } from './kept.ts';
import { readTrust } from './write.ts';

/** A lock to look at, and how far its seal was checked. */
export interface ShownLock extends OpenedLock {
  /** In words: `verified`, or that it was not. */
  readonly seal: string;
}

/**
 * Opens the text of a lock to look at it. With a trust file, every signature must be by one of its keys; without
 * one, nothing is verified.
 *
 * Throws LOCK_INVALID; KEY_FILE_INVALID for the trust file.
 */
export async function openToShow(
  text: string,
  place: string,
  trustFile: string | undefined,
): Promise<ShownLock> {
  if (trustFile === undefined) return { ...peekLock(text, place), seal: 'not verified: no --trust' };
  const opened = await openSealedLock(text, { place, trust: await readTrust(trustFile), threshold: 1 });
  return { ...opened, seal: 'verified' };
}

/** {@link openToShow} of a file. */
export async function openFileToShow(path: string, trustFile: string | undefined): Promise<ShownLock> {
  return await openToShow(await readLockText(path), path, trustFile);
}
