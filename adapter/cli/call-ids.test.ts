import { expect, test } from 'vitest';
import { callIds } from './call-ids.ts';

test('each id is 128 bits in hex, and no two are equal', () => {
  const next = callIds();
  const ids = Array.from({ length: 2000 }, next);
  expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
  expect(new Set(ids).size).toBe(2000);
});
