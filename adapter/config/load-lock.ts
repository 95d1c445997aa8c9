import { PluginError } from '../../proto/error.ts';
import { thumbprint } from '../../proto/keys/thumbprint.ts';
import { maxLockBytes, type OpenedLock, openSealedLock } from '../../proto/lock/open.ts';
import { nodeCrypto } from '../../proto/signature/node.ts';
import { readPublicKeys } from './key-files.ts';
import { type AcceptedLock, lastAccepted, noneAccepted, rememberLock } from './lock-history.ts';
import { type FileStamp, readTextFile } from './read-file.ts';

export interface LockFiles {
  readonly lockPath: string;
  readonly trustPath: string;
  readonly threshold: number;
  readonly onExpired: 'serve' | 'refuse';
  /** State folder and plugin type for the memory of locks; without it, only the running process remembers. */
  readonly history?: { readonly folder: string; readonly type: string } | undefined;
  /** The lock in force in this process; undefined at start. */
  readonly inForce?: AcceptedLock | undefined;
}

/** A lock out of its file. */
export interface LoadedLock extends OpenedLock {
  readonly stamps: readonly FileStamp[];
}

/**
 * Reads and opens the lock: seal and form, not seq and expiry. For commands that only look something up in it.
 *
 * Throws LOCK_INVALID; CONFIG_INVALID for the trust file.
 */
export async function readLock(
  files: Pick<LockFiles, 'lockPath' | 'trustPath' | 'threshold'>,
): Promise<LoadedLock> {
  const trust = await readPublicKeys(files.trustPath, 'the trust file', 'CONFIG_INVALID');
  const signers = await Promise.all(
    trust.keys.map(async (jwk) => ({ keyid: await thumbprint(jwk, nodeCrypto), jwk })),
  );
  const sealed = await readTextFile(files.lockPath, {
    code: 'LOCK_INVALID',
    what: 'the lock',
    exposure: 'public',
    maxBytes: maxLockBytes,
  });
  const opened = await openSealedLock(sealed.text, {
    place: files.lockPath,
    trust: signers,
    threshold: files.threshold,
  });
  return { ...opened, stamps: [trust.stamp, sealed.stamp] };
}

/**
 * Reads, opens and accepts the lock: seal, seq and content, expiry (docs/security.md, "The lock").
 *
 * Throws LOCK_INVALID or LOCK_ROLLBACK; CONFIG_INVALID for the trust file or the state folder.
 */
export async function loadLock(files: LockFiles): Promise<LoadedLock & { readonly accepted: AcceptedLock }> {
  const loaded = await readLock(files);
  const { lock, digest } = loaded;
  const { history, inForce = noneAccepted } = files;
  const stored = history ? await lastAccepted(history.folder, history.type) : noneAccepted;
  const reset = stored.reset !== undefined && stored.reset !== inForce.reset;
  const before = reset ? stored : later(stored, inForce);
  refuseOlder(files.lockPath, loaded, before);
  if (hasExpired(lock.expires) && (lock.seq !== before.seq || files.onExpired === 'refuse')) {
    throw lockExpired(files.lockPath, lock.expires);
  }
  if (lock.seq !== before.seq) refuseFuture(files.lockPath, lock.issued);
  const accepted = { ...stored, seq: lock.seq, digest };
  if (history && (lock.seq > stored.seq || stored.digest === undefined)) {
    refuseOlder(files.lockPath, loaded, await rememberLock(history.folder, history.type, accepted));
  }
  return { ...loaded, accepted };
}

/** What is remembered in two places; of one seq, the record that knows its content. */
function later(stored: AcceptedLock, inForce: AcceptedLock): AcceptedLock {
  if (stored.seq === inForce.seq) return stored.digest === undefined ? inForce : stored;
  return stored.seq > inForce.seq ? stored : inForce;
}

function refuseOlder(place: string, { lock: { seq }, digest }: OpenedLock, accepted: AcceptedLock): void {
  if (seq < accepted.seq) {
    throw new PluginError('LOCK_ROLLBACK', {
      happened: `${place} has seq ${seq}, but ${accepted.seq} was accepted before`,
      expected: `seq ${accepted.seq} or higher`,
      remedy: 'Take the newest lock. To go back to older code, build a new lock with a higher seq.',
    });
  }
  if (seq > accepted.seq || accepted.digest === undefined || digest === accepted.digest) return;
  throw new PluginError('LOCK_INVALID', {
    happened: `${place} has seq ${seq} as the lock that was accepted before, and another content`,
    expected: `the lock whose payload has the SHA-256 ${accepted.digest}, or a higher seq`,
    remedy: 'Two locks were sealed with one seq: seal the right one again, with a higher seq.',
  });
}

/** A clock may be wrong by its time zone; by more, times in locks mean nothing. */
const futureMs = 24 * 3_600_000;

function refuseFuture(place: string, issued: string): void {
  if (Date.parse(issued) - Date.now() <= futureMs) return;
  throw new PluginError('LOCK_INVALID', {
    happened: `${place} was issued at ${issued}, and here it is ${new Date().toISOString()}`,
    expected: 'a lock that was not issued in the future',
    remedy: 'Set the clock of this host, or of the machine that sealed the lock.',
  });
}

/** Is this `expires` (RFC 3339) in the past? A lock without one never expires. */
export function hasExpired(expires: string | undefined): boolean {
  return expires !== undefined && Date.parse(expires) <= Date.now();
}

/** LOCK_INVALID for a lock that may not be used any more. */
export function lockExpired(place: string, expires: string | undefined): PluginError {
  return new PluginError('LOCK_INVALID', {
    happened: `${place} expired at ${expires}`,
    expected: 'a lock that has not expired',
    remedy: 'Build and seal a new lock.',
  });
}
