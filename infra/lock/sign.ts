import { type OpenedLock, openSealedLock, peekLock } from '../../proto/lock/open.ts';
import { addSignature } from '../../proto/lock/seal.ts';
import { keptPath, lockText, readLockText } from './kept.ts';
import { replaceLock } from './replace.ts';
import { type LockFiles, readSigner, readTrust } from './write.ts';

/**
 * Adds a signature to a lock and to the copy that is kept of it. Its content stays what it is, and so does its seq:
 * hosts take it for the same lock.
 *
 * With a trust file, every signature that is there must verify under one of its keys or the signer's. With `only`, the
 * other signatures are dropped: for a signer that is replaced. Returns the lock as it is now. Throws LOCK_INVALID,
 * KEY_FILE_*, INPUT_INVALID when another command writes at the same moment.
 */
export async function signLock(
  { lockFile, signerFile, trustFile }: LockFiles,
  options: { readonly only?: boolean } = {},
): Promise<OpenedLock> {
  const signer = await readSigner(signerFile);
  const text = await readLockText(lockFile);
  if (trustFile !== undefined) {
    const { kty, crv, x } = signer.jwk;
    const trust = [{ keyid: signer.keyid, jwk: { kty, crv, x } }, ...(await readTrust(trustFile))];
    await openSealedLock(text, { place: lockFile, trust, threshold: 1 });
  }
  const sealed = await addSignature(text, lockFile, signer, options);
  const { lock, digest, signers } = peekLock(sealed, lockFile);
  const kept = keptPath(lockFile, lock.seq);
  const copied = await lockText(kept);
  // another content under this seq is no copy of this lock
  const isCopy = copied !== undefined && peekLock(copied, kept).digest === digest;
  await replaceLock(lockFile, { before: text, sealed, seq: lock.seq, copy: isCopy ? 'again' : 'none' });
  return { lock, digest, signers };
}
