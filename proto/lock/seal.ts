import { type GeneralJWS, GeneralSign, importJWK, type JWK } from 'jose';
import { PluginError } from '../error.ts';
import { lockType, parseEnvelope, peekLock } from './open.ts';
import { type Lock, lockSchema, problemOf } from './schema.ts';

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
  return textOf(await signed(payload, signers));
}

/**
 * Adds a signature to a sealed lock; not a byte of what is sealed changes. An older signature of the same key is
 * replaced.
 *
 * Takes the file's text and its name for messages; with `only`, the signatures of others are dropped. The others are
 * not verified here: openSealedLock does that. Throws LOCK_INVALID for a text that is no lock.
 */
export async function addSignature(
  text: string,
  place: string,
  signer: LockSigner,
  { only = false }: { readonly only?: boolean } = {},
): Promise<string> {
  const { payload, signatures } = parseEnvelope(text, place);
  const { signers } = peekLock(text, place);
  const others = only ? [] : signatures.filter((_, index) => signers[index] !== signer.keyid);
  const own = await signed(Buffer.from(payload, 'base64url'), [signer]);
  return textOf({ payload, signatures: [...others, ...own.signatures] });
}

async function signed(payload: Uint8Array, signers: readonly LockSigner[]): Promise<GeneralJWS> {
  const jws = new GeneralSign(payload);
  for (const signer of signers) {
    jws
      .addSignature(await importJWK(signer.jwk, 'EdDSA'))
      .setProtectedHeader({ alg: 'EdDSA', kid: signer.keyid, typ: lockType });
  }
  return await jws.sign();
}

function textOf({ payload, signatures }: GeneralJWS): string {
  return `${JSON.stringify({ payload, signatures }, undefined, 2)}\n`;
}
