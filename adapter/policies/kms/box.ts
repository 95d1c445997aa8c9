import { hash, randomBytes } from 'node:crypto';
import { secretbox } from '@noble/ciphers/salsa.js';
import { decodeBase64, encodeBase64 } from '../../../proto/base64.ts';

/** Of XSalsa20-Poly1305, in bytes. */
const nonceBytes = 24;
const tagBytes = 16;
/** Of SHA-256's input, in bytes. */
const blockBytes = 64;

const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

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
 * Written out, since node:crypto's hkdf refuses an info of more than 1,024 bytes, and SFTPGo does not; HMAC too, since
 * node:crypto makes a key object for each, which costs more than all the rest of a Decrypt from memory.
 */
export function deriveKey({ secretKey, additionalData, masterKey }: BoxKey): Uint8Array {
  const inputKey =
    masterKey === '' ? sha256(secretKey, utf8.encode(additionalData), secretKey) : utf8.encode(masterKey);
  const extracted = hmacSha256(secretKey, inputKey);
  // 32 bytes are one block of RFC 5869 section 2.3
  return hmacSha256(extracted, utf8.encode(additionalData), Uint8Array.of(1));
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return hash('sha256', Buffer.concat(parts), 'buffer');
}

/** HMAC (RFC 2104) with SHA-256. */
function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const padded = (byte: number) => {
    const block = new Uint8Array(blockBytes);
    block.set(key.byteLength > blockBytes ? sha256(key) : key);
    return block.map((each) => each ^ byte);
  };
  return sha256(padded(0x5c), sha256(padded(0x36), ...parts));
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
  const sealed = secretbox(deriveKey(key), nonce).seal(utf8.encode(payload));
  return encodeBase64(Buffer.concat([nonce, sealed]));
}

/** Opens such a box; undefined when it is none, is sealed under another key, or holds no UTF-8. */
export function openBox(box: string, key: BoxKey): string | undefined {
  const bytes = decodeBase64(box);
  if (bytes === undefined || bytes.byteLength < nonceBytes + tagBytes) return undefined;
  try {
    const opened = secretbox(deriveKey(key), bytes.subarray(0, nonceBytes)).open(bytes.subarray(nonceBytes));
    return strictUtf8.decode(opened);
  } catch {
    return undefined;
  }
}
