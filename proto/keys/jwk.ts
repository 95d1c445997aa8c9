/** An Ed25519 public key as JWK (RFC 8037 §2). Nothing else of a JWK is read; `kid` is never trusted. */
export interface PublicJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  /** The 32-byte public key, base64url: 43 characters. */
  readonly x: string;
}

/** An Ed25519 private key as JWK (RFC 8037 §2). */
export interface PrivateJwk extends PublicJwk {
  /** The 32-byte private key, base64url: 43 characters. Secret. */
  readonly d: string;
}
