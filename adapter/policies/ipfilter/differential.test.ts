import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { compareVerdicts } from '../../../test/support/compare-verdicts.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('20,000 addresses: what the cache answers is what the rules say', { timeout: 60_000 }, async () => {
  const { asked, missed, wrong } = await compareVerdicts({
    seed: 42,
    ruleSets: 20,
    addressesEach: 1000,
    advance: (ms) => vi.advanceTimersByTime(ms),
  });
  expect(wrong).toEqual([]);
  expect(asked).toBe(20_000);
  // else nothing was compared
  expect(asked - missed).toBeGreaterThan(asked / 4);
});
