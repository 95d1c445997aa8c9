import { encodeBase64Url } from '../base64.ts';
import type { SignatureCrypto } from '../signature/port.ts';
import type { PublicJwk } from './jwk.ts';

const utf8 = new TextEncoder();

/** The bytes whose SHA-256 is the thumbprint: the required members, sorted, no white space (RFC 7638 §3). */
export function thumbprintInput({ crv, kty, x }: PublicJwk): Uint8Array {
  return utf8.encode(JSON.stringify({ crv, kty, x }));
}

/** RFC 7638 thumbprint of an Ed25519 key: SHA-256, base64url, 43 characters. */
export async function thumbprint(jwk: PublicJwk, crypto: Pick<SignatureCrypto, 'sha256'>): Promise<string> {
  return encodeBase64Url(await crypto.sha256(thumbprintInput(jwk)));
}
