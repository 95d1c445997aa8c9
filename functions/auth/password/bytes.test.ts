import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { concatBytes, equalBytes, fromBase64, repeatBytes } from './bytes.ts';

test('bytes are equal when all of them are, and as many', async () => {
  await fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), fc.uint8Array({ maxLength: 70 }), (a, b) => {
      expect(equalBytes(a, b)).toBe(Buffer.compare(a, b) === 0);
      expect(equalBytes(a, Uint8Array.from(a))).toBe(true);
      expect(equalBytes(a, concatBytes(a, Uint8Array.of(0)))).toBe(false);
      expect(equalBytes(concatBytes(a, Uint8Array.of(0)), a)).toBe(false);
      for (const index of a.keys()) expect(equalBytes(a, a.with(index, (a[index] ?? 0) ^ 1))).toBe(false);
    }),
    { numRuns: 200 },
  );
});

test('a part is repeated to any length', () => {
  expect([...repeatBytes(Uint8Array.of(1, 2, 3), 7)]).toEqual([1, 2, 3, 1, 2, 3, 1]);
  expect(repeatBytes(new Uint8Array(), 0)).toHaveLength(0);
});

test('base64 with and without padding, and nothing else', () => {
  expect(fromBase64('Zm8=')).toEqual(fromBase64('Zm8'));
  for (const text of ['Zm8-', 'Zm 8', 'Z', 'Zm8==', '=']) expect(fromBase64(text)).toBeUndefined();
});
