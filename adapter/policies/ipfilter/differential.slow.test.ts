import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { compareVerdicts } from '../../../test/support/compare-verdicts.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('1,000,000 addresses: what the cache answers is what the rules say', { timeout: 300_000 }, async () => {
  const { asked, missed, wrong } = await compareVerdicts({
    seed: 7,
    ruleSets: 250,
    addressesEach: 4000,
    advance: (ms) => vi.advanceTimersByTime(ms),
  });
  expect(wrong).toEqual([]);
  expect(asked).toBe(1_000_000);
  expect(asked - missed).toBeGreaterThan(asked / 4);
});
