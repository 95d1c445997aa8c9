import { PluginError } from '../../proto/error.ts';
import { thumbprint } from '../../proto/keys/thumbprint.ts';
import { maxLockBytes, openLock } from '../../proto/lock/open.ts';
import type { Lock } from '../../proto/lock/schema.ts';
import { nodeCrypto } from '../../proto/signature/node.ts';
import { readPublicKeys } from './key-files.ts';
import { lastAcceptedSeq, rememberSeq } from './lock-history.ts';
import { type FileStamp, readTextFile } from './read-file.ts';

export interface LockFiles {
  readonly lockPath: string;
  readonly trustPath: string;
  readonly threshold: number;
  readonly onExpired: 'serve' | 'refuse';
  /** State folder and plugin type for the memory of seq; without it, only the running process remembers. */
  readonly history?: { readonly folder: string; readonly type: string } | undefined;
  /** seq of the lock in force in this process; 0 at start. */
  readonly seqInForce: number;
}

export interface LoadedLock {
  readonly lock: Lock;
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
  const lock = await openLock(sealed.text, {
    place: files.lockPath,
    trust: signers,
    threshold: files.threshold,
  });
  return { lock, stamps: [trust.stamp, sealed.stamp] };
}

/**
 * Reads, opens and accepts the lock: seal, seq, expiry (docs/security.md, "The lock").
 *
 * Throws LOCK_INVALID or LOCK_ROLLBACK; CONFIG_INVALID for the trust file or the state folder.
 */
export async function loadLock(files: LockFiles): Promise<LoadedLock> {
  const { lock, stamps } = await readLock(files);
  const stored = files.history ? await lastAcceptedSeq(files.history.folder, files.history.type) : 0;
  const accepted = Math.max(stored, files.seqInForce);
  if (lock.seq < accepted) throw rollback(files.lockPath, lock.seq, accepted);
  const expired = hasExpired(lock.expires);
  if (expired && (lock.seq !== accepted || files.onExpired === 'refuse')) {
    throw lockExpired(files.lockPath, lock.expires);
  }
  if (files.history && lock.seq > stored) {
    const highest = await rememberSeq(files.history.folder, files.history.type, lock.seq);
    if (lock.seq < highest) throw rollback(files.lockPath, lock.seq, highest);
  }
  return { lock, stamps };
}

function rollback(place: string, seq: number, accepted: number): PluginError {
  return new PluginError('LOCK_ROLLBACK', {
    happened: `${place} has seq ${seq}, but ${accepted} was accepted before`,
    expected: `seq ${accepted} or higher`,
    remedy: 'Take the newest lock. To go back to older code, build a new lock with a higher seq.',
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
