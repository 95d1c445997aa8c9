import {
  createPrivateKey,
  createPublicKey,
  hash,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import { encodeBase64Url } from '../base64.ts';
import type { PrivateJwk, PublicJwk } from '../keys/jwk.ts';
import { mismatch } from '../keys/mismatch.ts';
import { thumbprintInput } from '../keys/thumbprint.ts';
import type { SignatureCrypto, SigningKey, VerifyingKey } from './port.ts';

/** The port on node:crypto: synchronous, and a third of WebCrypto's cost in Node. */
export const nodeCrypto = {
  sha256: (data: Uint8Array): Uint8Array => hash('sha256', data, 'buffer'),
  randomBytes: (n: number): Uint8Array => randomBytes(n),
} satisfies SignatureCrypto;

function keyidOf(jwk: PublicJwk): string {
  return encodeBase64Url(nodeCrypto.sha256(thumbprintInput(jwk)));
}

/** Node.js says so itself from 24.22 on; before, it signs with d whatever x is. */
function importPrivate(key: PrivateJwk): KeyObject {
  try {
    return createPrivateKey({ key: { ...key }, format: 'jwk' });
  } catch {
    // its error is not kept: it may tell of the key
    throw mismatch();
  }
}

/** Imports a private key once, for many signatures. Throws KEY_FILE_INVALID when x is not d's public key. */
export function nodeSigningKey(jwk: PrivateJwk): SigningKey {
  const { kty, crv, x, d } = jwk;
  const key = importPrivate({ kty, crv, x, d });
  if (createPublicKey(key).export({ format: 'jwk' })['x'] !== x) throw mismatch();
  return { keyid: keyidOf(jwk), sign: (data) => sign(null, data, key) };
}

/** Imports a public key once, for many verifications. */
export function nodeVerifyingKey(jwk: PublicJwk): VerifyingKey {
  const { kty, crv, x } = jwk;
  const key = createPublicKey({ key: { kty, crv, x }, format: 'jwk' });
  return { keyid: keyidOf(jwk), verify: (data, signature) => verify(null, data, key, signature) };
}
