import { readFileSync } from 'node:fs';
import { secretbox } from '@noble/ciphers/salsa.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boxTextBytes, deriveKey, maxPayloadBytes, openBox, sealBox } from './box.ts';

interface Vector {
  readonly name: string;
  readonly masterKey: string;
  readonly secretKey: string;
  readonly nonce: string;
  readonly additionalData: string;
  readonly payload: string;
  readonly derivedKey: string;
  readonly box: string;
}

const { boxes }: { boxes: readonly Vector[] } = JSON.parse(
  readFileSync(new URL('../../../test/vectors/kms.json', import.meta.url), 'utf8'),
);

describe.each(boxes)('a box of Go, $name', (vector) => {
  const key = { ...vector, secretKey: Buffer.from(vector.secretKey, 'hex') };

  test('has the same key', () => {
    expect(Buffer.from(deriveKey(key)).toString('hex')).toBe(vector.derivedKey);
  });

  test('is sealed the same and opens', () => {
    expect(sealBox(vector.payload, key, Buffer.from(vector.nonce, 'hex'))).toBe(vector.box);
    expect(openBox(vector.box, key)).toBe(vector.payload);
  });

  test('opens under no other master key, secret key or additional data', () => {
    const others = [
      { ...key, masterKey: 'another' },
      { ...key, additionalData: 'user2' },
      { ...key, secretKey: Buffer.alloc(32) },
    ];
    for (const other of others) expect(openBox(vector.box, other)).toBeUndefined();
  });

  test('opens with no byte changed, missing or added', () => {
    const bytes = Buffer.from(vector.box, 'base64');
    for (const [index, byte] of bytes.entries()) {
      const changed = Buffer.from(bytes);
      changed[index] = byte ^ 1;
      expect(openBox(changed.toString('base64'), key)).toBeUndefined();
    }
    for (let length = 0; length < bytes.length; length += 1) {
      expect(openBox(bytes.subarray(0, length).toString('base64'), key)).toBeUndefined();
    }
    expect(openBox(Buffer.concat([bytes, bytes]).toString('base64'), key)).toBeUndefined();
  });

  test.each([' ', '\n', '='])('is not read with %j after it', (more) => {
    expect(openBox(vector.box + more, key)).toBeUndefined();
  });
});

const boxKey = fc.record({
  secretKey: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  additionalData: fc.string({ unit: 'grapheme', maxLength: 40 }),
  masterKey: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
});

test('the key is HKDF-SHA256 as another implementation derives it, for additional data of any length', () => {
  const check = (masterKey: string, secretKey: Uint8Array, additionalData: string) => {
    const expected = hkdf(sha256, Buffer.from(masterKey), secretKey, Buffer.from(additionalData), 32);
    expect(Buffer.from(deriveKey({ masterKey, secretKey, additionalData }))).toEqual(Buffer.from(expected));
  };
  fc.assert(fc.property(boxKey, (key) => check(key.masterKey, key.secretKey, key.additionalData)));
  check('master-key', Buffer.alloc(32, 7), 'é'.repeat(2000));
});

test('what is sealed opens again, whatever the text; its length is as computed', () => {
  fc.assert(
    fc.property(boxKey, fc.string({ unit: 'grapheme', maxLength: 200 }), (key, payload) => {
      const box = sealBox(payload, key);
      expect(box).toHaveLength(boxTextBytes(Buffer.byteLength(payload)));
      expect(openBox(box, key)).toBe(payload);
    }),
  );
});

test('two boxes of one secret differ: the nonce is random', () => {
  const key = { secretKey: Buffer.alloc(32), additionalData: '', masterKey: 'm' };
  expect(sealBox('secret', key)).not.toBe(sealBox('secret', key));
});

test('a byte order mark at the start of a secret is kept; what is no UTF-8 does not open', () => {
  const key = { secretKey: Buffer.alloc(32), additionalData: '', masterKey: 'm' };
  expect(openBox(sealBox('\uFEFFsecret', key), key)).toBe('\uFEFFsecret');
  const nonce = Buffer.alloc(24, 1);
  const box = secretbox(deriveKey(key), nonce).seal(Uint8Array.of(0x61, 0xff));
  expect(openBox(Buffer.concat([nonce, box]).toString('base64'), key)).toBeUndefined();
});

test('a box of AWS KMS, at most 4,096 bytes, holds 3,032 bytes', () => {
  expect(maxPayloadBytes(4096)).toBe(3032);
  expect([boxTextBytes(3032), boxTextBytes(3033)]).toEqual([4096, 4100]);
});
