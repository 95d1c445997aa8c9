import { expect, test } from 'vitest';
import type { EventSearch } from '../kit/index.ts';
import { eventId, idRange } from '../notifier/keys.ts';
import { idsOf } from './range.ts';

const at = 1_697_040_000_123_456_789n;
const rounded = BigInt(Number(at));

const search = (asked: Partial<EventSearch>): EventSearch => ({
  startTimestamp: undefined,
  endTimestamp: undefined,
  username: '',
  ip: '',
  instanceIds: [],
  role: '',
  limit: 100,
  order: 'desc',
  fromId: undefined,
  excludeIds: [],
  ...asked,
});

test('without an id the bounds are as they are asked for', () => {
  expect(idsOf(search({ startTimestamp: 5n, endTimestamp: 9n }))).toEqual(idRange(5n, 9n));
  expect(idsOf(search({ startTimestamp: 9n, endTimestamp: 5n }))).toBeUndefined();
});

test('after an id: the rest of its instant, whatever a browser has made of the bound', async () => {
  expect(rounded).not.toBe(at);
  const fromId = await eventId(at, 'shown last');
  for (const bound of [at, rounded, at - 128n, at + 128n]) {
    const older = idsOf(search({ fromId, endTimestamp: bound }));
    expect(BigInt(`0x${older?.to}`)).toBe(BigInt(`0x${fromId}`) - 1n);
    const newer = idsOf(search({ fromId, startTimestamp: bound, order: 'asc' }));
    expect(BigInt(`0x${newer?.from}`)).toBe(BigInt(`0x${fromId}`) + 1n);
  }
});

test('a bound that is not the instant of the id holds too', async () => {
  const fromId = await eventId(at, 'shown last');
  expect(idsOf(search({ fromId, endTimestamp: at - 129n }))).toEqual(idRange(undefined, at - 129n));
  expect(idsOf(search({ fromId, startTimestamp: at + 129n, order: 'asc' }))).toEqual(
    idRange(at + 129n, undefined),
  );
  expect(idsOf(search({ fromId, startTimestamp: at + 1n }))).toBeUndefined();
});

test('ids to leave out mend a rounded bound as well, and ids of another store are nothing to go by', async () => {
  const excludeIds = [await eventId(at, 'a'), await eventId(at, 'b')];
  expect(idsOf(search({ excludeIds, endTimestamp: rounded }))).toEqual(idRange(undefined, at));
  expect(idsOf(search({ excludeIds, startTimestamp: rounded, order: 'asc' }))).toEqual(
    idRange(at, undefined),
  );
  expect(idsOf(search({ excludeIds: ['x', 'y'], endTimestamp: rounded }))).toEqual(
    idRange(undefined, rounded),
  );
  expect(() => idsOf(search({ fromId: 'cn0qk6s1' }))).toThrow(
    expect.objectContaining({ code: 'invalid_argument' }),
  );
});
