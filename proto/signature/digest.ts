import { encodeBase64 } from '../base64.ts';
import { after } from './after.ts';
import type { SignatureCrypto } from './port.ts';

/**
 * The Content-Digest of a body (RFC 9530 §2) in the one spelling of the profile: a single sha-256 member. Verifiers
 * compare the whole value, so other members and non-canonical base64 do not match.
 */
export function contentDigest(body: Uint8Array, crypto: SignatureCrypto): string | Promise<string> {
  return after(crypto.sha256(body), (hash) => `sha-256=:${encodeBase64(hash)}:`);
}
