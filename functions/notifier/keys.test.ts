import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dayOf, eventId, idRange, indexKey, isStorable, timestampOf } from './keys.ts';

const last = 2n ** 63n - 1n;
const instant = fc.bigInt({ min: 1n, max: last });

test('ids sort as their timestamps do, and give them back', async () => {
  await fc.assert(
    fc.asyncProperty(instant, instant, async (a, b) => {
      const [first, second] = [await eventId(a, 'a'), await eventId(b, 'b')];
      expect([timestampOf(first), timestampOf(second)]).toEqual([a, b]);
      if (a !== b) expect(first < second).toBe(a < b);
    }),
    { numRuns: 2000 },
  );
});

test('one call has one id, two calls of one instant have two', async () => {
  expect(await eventId(1n, 'call')).toBe(await eventId(1n, 'call'));
  expect(await eventId(1n, 'call')).not.toBe(await eventId(1n, 'another'));
  expect(await eventId(1n, 'call')).toMatch(/^0000000000000001[0-9a-f]{24}$/);
});

test('a range holds the ids of both of its bounds, and no others', async () => {
  await fc.assert(
    fc.asyncProperty(instant, instant, instant, async (start, end, at) => {
      const { from, to } = idRange(start, end);
      const id = await eventId(at, 'x');
      expect(from <= id && id <= to).toBe(start <= at && at <= end);
    }),
    { numRuns: 2000 },
  );
  expect(idRange(undefined, undefined)).toEqual({ from: '0'.repeat(40), to: `7${'f'.repeat(39)}` });
  expect(idRange(-5n, 2n ** 64n)).toEqual(idRange(undefined, undefined));
});

test('times that an id can hold, and texts that are no id', () => {
  expect([0n, -1n, 1n, last, last + 1n].map(isStorable)).toEqual([false, false, true, true, false]);
  for (const text of ['', 'x', '0'.repeat(39), '0'.repeat(41), 'A'.repeat(40)]) {
    expect(timestampOf(text)).toBeUndefined();
  }
});

test('days are UTC and sort like their events', () => {
  expect(dayOf(1_772_323_199_999_999_999n)).toBe('2026-02-28');
  expect(dayOf(1_772_323_200_000_000_000n)).toBe('2026-03-01');
  expect([dayOf(1n), dayOf(last)]).toEqual(['1970-01-01', '2262-04-11']);
});

test('index keys: none for the empty text, a digest for a long one, never the same for two texts', async () => {
  expect(await indexKey('fs', '')).toBeUndefined();
  expect(await indexKey('log', 'bob')).toBe('log#=bob');
  const long = await indexKey('fs', 'é'.repeat(300));
  expect(long).toMatch(/^fs#sha256=[0-9a-f]{64}$/);
  expect(await indexKey('fs', 'é'.repeat(301))).not.toBe(long);
  expect(await indexKey('fs', (long ?? '').slice(3))).not.toBe(long);
});
