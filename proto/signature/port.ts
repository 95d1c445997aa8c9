/**
 * What the signature profile needs of a cryptography library. `node.ts` gives plain values (node:crypto is
 * synchronous and cheaper), `web.ts` promises (WebCrypto); the profile takes both.
 */
export interface SignatureCrypto {
  sha256(data: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /** `n` bytes that nobody can predict. */
  randomBytes(n: number): Uint8Array;
}

/** An Ed25519 private key, ready to sign. */
export interface SigningKey {
  /** RFC 7638 thumbprint of the public part: 43 base64url characters. */
  readonly keyid: string;
  /** The 64-byte Ed25519 signature of `data` (RFC 8032). */
  sign(data: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** An Ed25519 public key, ready to verify. */
export interface VerifyingKey {
  /** RFC 7638 thumbprint: 43 base64url characters. */
  readonly keyid: string;
  /** Is this the signature of exactly these bytes by this key? */
  verify(data: Uint8Array, signature: Uint8Array): boolean | Promise<boolean>;
}

/** The keys that may sign, by thumbprint; `undefined` for every other. */
export type KeyRing = (keyid: string) => VerifyingKey | undefined;

/**
 * A ring of a few keys.
 *
 * ```ts
 * const keys = keyRing(parseJwks(settings).map(nodeVerifyingKey));
 * ```
 */
export function keyRing(keys: Iterable<VerifyingKey>): KeyRing {
  const byId = new Map<string, VerifyingKey>();
  for (const key of keys) byId.set(key.keyid, key);
  return (keyid) => byId.get(keyid);
}
