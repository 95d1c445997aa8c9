import { GeneralSign, importJWK, type JWK } from 'jose';
import { PluginError } from '../error.ts';
import { type Lock, lockSchema, problemOf } from './schema.ts';

/** Media type in the protected header: a signature over a lock is good for nothing else, and no other for a lock. */
export const lockType = 'sftpgo-plugin-lock+jws';

/** A key that seals locks: its RFC 7638 thumbprint and its private Ed25519 JWK. */
export interface LockSigner {
  readonly keyid: string;
  readonly jwk: JWK;
}

/**
 * Seals a lock as JWS in general JSON serialization (RFC 7515 section 7.2.1), one signature for each signer.
 *
 * Takes the lock's content and at least one signer; returns the text of `bundles.lock.json`. Throws INPUT_INVALID
 * for content that is not a lock.
 */
export async function sealLock(lock: Lock, signers: readonly LockSigner[]): Promise<string> {
  const checked = lockSchema.safeParse(lock);
  if (!checked.success) {
    throw new PluginError('INPUT_INVALID', {
      happened: `the lock cannot be sealed: ${problemOf(checked.error)}`,
      expected: 'a lock of format 1',
      remedy: 'Correct what it is made from.',
    });
  }
  const payload = new TextEncoder().encode(JSON.stringify(checked.data));
  const jws = new GeneralSign(payload);
  for (const signer of signers) {
    jws
      .addSignature(await importJWK(signer.jwk, 'EdDSA'))
      .setProtectedHeader({ alg: 'EdDSA', kid: signer.keyid, typ: lockType });
  }
  return `${JSON.stringify(await jws.sign(), undefined, 2)}\n`;
}
