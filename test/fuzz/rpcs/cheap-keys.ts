import { hash } from 'node:crypto';
import type { SigningKey, VerifyingKey } from '../../../proto/signature/port.ts';
import { keyRing } from '../../../proto/signature/port.ts';

/** Both halves of a key. */
export interface CheapKey {
  readonly signing: SigningKey;
  readonly verifying: VerifyingKey;
}

/**
 * A key whose signature is SHA-512 of its name and what is signed: sixty-four bytes, as Ed25519's. For properties that
 * are not about signatures, and would spend most of their time on them.
 */
export function cheapKey(name: string): CheapKey {
  const keyid = hash('sha256', name, 'base64url');
  const sign = (data: Uint8Array) => hash('sha512', Buffer.concat([Buffer.from(name), data]), 'buffer');
  return {
    signing: { keyid, sign },
    verifying: { keyid, verify: (data, signature) => sign(data).equals(signature) },
  };
}

/** A ring of one. */
export const cheapRing = (key: CheapKey) => keyRing([key.verifying]);
