import { createHash, createHmac, randomBytes } from 'node:crypto';
import { secretbox } from '@noble/ciphers/salsa.js';
import { decodeBase64, encodeBase64 } from '../../../proto/base64.ts';

/** Of XSalsa20-Poly1305, in bytes. */
const nonceBytes = 24;
const tagBytes = 16;

/** What the key of one box is derived from. */
export interface BoxKey {
  /** 32 random bytes that SFTPGo stores beside the secret. */
  readonly secretKey: Uint8Array;
  /** What the secret belongs to: a username, `group_NAME`, … */
  readonly additionalData: string;
  /** Empty: the key hangs on secretKey and additionalData alone. */
  readonly masterKey: string;
}

/**
 * The 32-byte key of a box: HKDF-SHA256 (RFC 5869) of the master key, with the secret key as salt and the
 * additional data as info. Without a master key, SHA-256(secretKey, additionalData, secretKey) stands in for it.
 *
 * Written out, since node:crypto's hkdf refuses an info of more than 1,024 bytes, and SFTPGo does not.
 */
export function deriveKey({ secretKey, additionalData, masterKey }: BoxKey): Uint8Array {
  const inputKey =
    masterKey === ''
      ? createHash('sha256').update(secretKey).update(additionalData).update(secretKey).digest()
      : masterKey;
  const extracted = createHmac('sha256', secretKey).update(inputKey).digest();
  // 32 bytes are one block of RFC 5869 section 2.3
  return createHmac('sha256', extracted).update(additionalData).update(Uint8Array.of(1)).digest();
}

/** Length of {@link sealBox}'s text for a payload, in bytes. */
export function boxTextBytes(payloadBytes: number): number {
  return 4 * Math.ceil((nonceBytes + tagBytes + payloadBytes) / 3);
}

/** The longest payload whose box is at most `maxTextBytes` long, in bytes. */
export function maxPayloadBytes(maxTextBytes: number): number {
  return 3 * Math.floor(maxTextBytes / 4) - nonceBytes - tagBytes;
}

/**
 * Seals a secret as NaCl's secretbox: base64 of nonce, tag and ciphertext, as SFTPGo and its own kms plugin write
 * it. `nonce` is for tests.
 */
export function sealBox(payload: string, key: BoxKey, nonce: Uint8Array = randomBytes(nonceBytes)): string {
  const sealed = secretbox(deriveKey(key), nonce).seal(new TextEncoder().encode(payload));
  return encodeBase64(Buffer.concat([nonce, sealed]));
}

/** Opens such a box; undefined when it is none, is sealed under another key, or holds no UTF-8. */
export function openBox(box: string, key: BoxKey): string | undefined {
  const bytes = decodeBase64(box);
  if (bytes === undefined || bytes.byteLength < nonceBytes + tagBytes) return undefined;
  try {
    const opened = secretbox(deriveKey(key), bytes.subarray(0, nonceBytes)).open(bytes.subarray(nonceBytes));
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(opened);
  } catch {
    return undefined;
  }
}
