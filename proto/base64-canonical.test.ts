import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBase64, encodeBase64, encodeBase64Url } from './base64.ts';

test('encodes and decodes as Buffer does', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const text = encodeBase64(bytes);
      expect(text).toBe(Buffer.from(bytes).toString('base64'));
      expect(encodeBase64Url(bytes)).toBe(Buffer.from(bytes).toString('base64url'));
      expect(decodeBase64(text)).toEqual(bytes);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['spare bits in the last character but two', 'AB=='],
  ['spare bits in the last character but one', 'AAB='],
  ['no padding', 'AA'],
  ['half a padding', 'AA='],
  ['too much padding', 'AAA=='],
  ['padding alone', '===='],
  ['padding in the middle', 'AA==AAAA'],
  ['a space', 'AA AA'],
  ['a line break at the end', 'AAAA\n'],
  ['a tab in the padding', 'AA=\t='],
  ['the alphabet of URLs', '-_-_'],
  ['a character outside the alphabet', 'AA*A'],
  ['a letter outside ASCII', 'AAAé'],
  ['a length of 1 modulo 4', 'AAAAA'],
])('refuses %s', (_, text) => {
  expect(decodeBase64(text)).toBeUndefined();
});

test('only one text decodes to the same bytes', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const accepted = [...alphabet].filter((last) => decodeBase64(`A${last}==`));
  expect(accepted).toEqual(['A', 'Q', 'g', 'w']);
});
