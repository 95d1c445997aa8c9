import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { PluginError } from '../../../proto/error.ts';
import { sha256Hex } from '../../../proto/lock/digest.ts';
import type { AcceptedVersion, LockedFunction } from '../../../proto/lock/schema.ts';

/** Ten times the largest function that was seen, with all of the AWS SDK in it. */
const maxBundleBytes = 64 * 1024 * 1024;

/** A bundle as it was read once: what is hashed is what runs. */
export interface LocalBundle {
  readonly bytes: Uint8Array;
  readonly sha256: string;
  /** The entry of the lock that lists these bytes; undefined when none does. */
  readonly accepted: AcceptedVersion | undefined;
}

/**
 * Reads a bundle once and looks its SHA-256 up in the lock, under the file's own name.
 *
 * Takes the function as locked and the bundle's absolute path. Throws DRIFT when the file cannot be read: the lock
 * says that it is there.
 */
export async function readBundle(name: string, locked: LockedFunction, file: string): Promise<LocalBundle> {
  const bytes = await readBytes(name, file);
  const sha256 = sha256Hex(bytes);
  const accepted = locked.accepts.find(({ files }) => files[basename(file)] === sha256);
  return { bytes, sha256, accepted };
}

/** The digests that the lock accepts for a file, for messages. */
export function expectedDigests(locked: LockedFunction, file: string): string {
  const digests = locked.accepts.flatMap(({ files }) => files[basename(file)] ?? []);
  return digests.length === 0 ? `none: the lock lists no ${basename(file)}` : digests.join(' or ');
}

/**
 * The bundle of a local function, if it is one of the lock. Throws DRIFT with what is expected and what was found.
 */
export async function readLockedBundle(
  name: string,
  locked: LockedFunction,
  file: string,
): Promise<LocalBundle & { readonly accepted: AcceptedVersion }> {
  const { bytes, sha256, accepted } = await readBundle(name, locked, file);
  if (accepted !== undefined) return { bytes, sha256, accepted };
  throw new PluginError('DRIFT', {
    happened: `${name}: ${file} has SHA-256 ${sha256}`,
    expected: `a file of the lock: ${expectedDigests(locked, file)}`,
    remedy: 'Copy the locked bundle to this host again, or take a lock that has this one.',
  });
}

/** O_NONBLOCK: a FIFO put in the file's place must not hold a start for ever. */
async function readBytes(name: string, file: string): Promise<Uint8Array> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await handle.stat();
    if (!stat.isFile() || stat.size > maxBundleBytes) {
      throw Object.assign(new Error('no bundle'), { code: stat.isFile() ? 'too large' : 'no regular file' });
    }
    return await handle.readFile();
  } catch (cause) {
    throw new PluginError('DRIFT', {
      happened: `${name}: the bundle ${file} cannot be read (${Object(cause).code ?? 'unreadable'})`,
      expected: `a regular file of at most ${maxBundleBytes} bytes that the SFTPGo user can read`,
      remedy: 'Copy the locked bundle there; the address in the lock is relative to the configuration.',
      cause,
    });
  } finally {
    await handle?.close();
  }
}
