import { generateKeyPairSync } from 'node:crypto';
import type { PrivateJwk, PublicJwk } from '../../proto/keys/jwk.ts';

/** A new Ed25519 key. */
export function newKey(): PrivateJwk {
  const { x = '', d = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return { kty: 'OKP', crv: 'Ed25519', x, d };
}

/** Its public half. */
export function publicOf({ kty, crv, x }: PrivateJwk): PublicJwk {
  return { kty, crv, x };
}
