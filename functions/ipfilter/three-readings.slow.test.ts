import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { agreeThree } from '../../test/support/agree-three.ts';

const { stackTraceLimit } = Error;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'] });
  // each deny is an error: its stack costs more than the verdict
  Error.stackTraceLimit = 0;
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});
afterEach(() => {
  Error.stackTraceLimit = stackTraceLimit;
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test('1,000,000 addresses: the function, the memory of the adapter and a naive reading agree', {
  timeout: 600_000,
}, async () => {
  const { asked, missed, elsewhere, allowed, revalidated, wrong } = await agreeThree({
    seed: 11,
    ruleSets: 100,
    addressesEach: 10_000,
    advance: (ms) => vi.advanceTimersByTime(ms),
  });
  expect(wrong).toEqual([]);
  expect(asked).toBe(1_000_000);
  // else nothing was compared
  expect(asked - missed).toBeGreaterThan(asked / 4);
  expect(elsewhere).toBeGreaterThan(asked / 3);
  expect(revalidated).toBeGreaterThan(asked / 20);
  expect(Math.min(allowed, asked - allowed)).toBeGreaterThan(asked / 5);
});
