import { expect, test } from 'vitest';
import { decodeBase64, encodeBase64 } from './base64.ts';

test('agrees with Node for every length around the pieces it works in', () => {
  for (const length of [0, 1, 2, 3, 8191, 8192, 8193, 20_001]) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 7) & 0xff);
    const text = Buffer.from(bytes).toString('base64');
    expect(encodeBase64(bytes)).toBe(text);
    expect(decodeBase64(text)).toEqual(bytes);
  }
});

test('every other text for the same bytes is refused', () => {
  for (const text of ['QQ', 'QQ=', 'QR==', 'QQ==\n', ' QQ==', 'Q Q==', 'QQ==QQ==', '_w==', 'A', '====']) {
    expect(decodeBase64(text), JSON.stringify(text)).toBeUndefined();
  }
});
