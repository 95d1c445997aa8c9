import type { webcrypto } from 'node:crypto';
import type { PrivateJwk, PublicJwk } from '../keys/jwk.ts';
import { mismatch } from '../keys/mismatch.ts';
import { thumbprint } from '../keys/thumbprint.ts';
import type { SignatureCrypto, SigningKey, VerifyingKey } from './port.ts';

const algorithm = 'Ed25519';

/** The port on WebCrypto: for workerd, where node:crypto is not there; works in Node too. */
export const webCrypto: SignatureCrypto = {
  sha256: async (data) =>
    new Uint8Array(await crypto.subtle.digest('SHA-256', data as Uint8Array<ArrayBuffer>)),
  randomBytes: (n) => crypto.getRandomValues(new Uint8Array(n)),
};

function importKey(jwk: PublicJwk | PrivateJwk, use: 'sign' | 'verify'): Promise<webcrypto.CryptoKey> {
  return crypto.subtle.importKey('jwk', { ...jwk }, algorithm, false, [use]);
}

/**
 * Imports a private key once, for many signatures. Throws KEY_FILE_INVALID when x is not d's public key; some
 * runtimes say so at the import, others sign with d whatever x is.
 */
export async function webSigningKey({ kty, crv, x, d }: PrivateJwk): Promise<SigningKey> {
  const key = await importKey({ kty, crv, x, d }, 'sign').catch(() => {
    throw mismatch();
  });
  const sign = async (data: Uint8Array) =>
    new Uint8Array(await crypto.subtle.sign(algorithm, key, data as Uint8Array<ArrayBuffer>));
  const { keyid, verify } = await webVerifyingKey({ kty, crv, x });
  const probe = new Uint8Array(1);
  if (!(await verify(probe, await sign(probe)))) throw mismatch();
  return { keyid, sign };
}

/** Imports a public key once, for many verifications. */
export async function webVerifyingKey({ kty, crv, x }: PublicJwk): Promise<VerifyingKey> {
  const key = await importKey({ kty, crv, x }, 'verify');
  return {
    keyid: await thumbprint({ kty, crv, x }, webCrypto),
    verify: (data, signature) =>
      crypto.subtle.verify(
        algorithm,
        key,
        signature as Uint8Array<ArrayBuffer>,
        data as Uint8Array<ArrayBuffer>,
      ),
  };
}
