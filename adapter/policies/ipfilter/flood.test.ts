import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { filterOf } from '../../../test/support/ipfilter.ts';
import { factsWith, failure, type Step, signedError } from '../../../test/support/policies.ts';
import { ThrottledError } from '../../invoke/throttled.ts';
import { UnreachableError } from '../../targets/https/send.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const open = { onUnavailable: 'allow' };
const never = new Promise<never>(() => undefined);
const late = (step: Exclude<Step, Promise<unknown>>, ms: number): Promise<Exclude<Step, Promise<unknown>>> =>
  new Promise((resolve) => setTimeout(() => resolve(step), ms));

/** So many addresses at once, and what each got. */
async function flood(see: (ip: string) => Promise<string>, count: number, from = 0): Promise<string[]> {
  const all = Array.from({ length: count }, (_, n) => see(`10.${from}.${n >> 8}.${n & 255}`));
  await vi.advanceTimersByTimeAsync(10_000);
  return await Promise.all(all);
}

const tally = (outcomes: readonly string[]) =>
  Object.fromEntries([...Map.groupBy(outcomes, (one) => one)].map(([one, { length }]) => [one, length]));

test('what waits for the function beyond maxUnanswered is shed: denied, and not asked', async () => {
  const { see, next, counts } = filterOf({ ...open, maxUnanswered: 20 }, never);
  const outcomes = tally(await flood(see, 500));
  expect(outcomes).toMatchObject({ OVERLOADED: 480 });
  expect(next.calls).toHaveLength(20);
  expect(counts.get('ipfilter_cache shed')).toBe(480);
});

test('questions under way from before a Reload count too', async () => {
  const { see, next, reload } = filterOf({ maxUnanswered: 2 }, never, never, factsWith());
  void see('10.0.0.1');
  void see('10.0.0.2');
  await vi.waitFor(() => expect(next.calls).toHaveLength(2));
  await reload();
  expect(await see('10.0.0.3')).toBe('OVERLOADED');
});

test('equal questions take one place', async () => {
  const { see, next } = filterOf({ maxUnanswered: 1 }, late(factsWith(), 100));
  const all = Array.from({ length: 50 }, () => see('10.0.0.1'));
  await vi.advanceTimersByTimeAsync(100);
  expect(tally(await Promise.all(all))).toEqual({ answered: 50 });
  expect(next.calls).toHaveLength(1);
});

test('a flood that makes the function late buys no allow, nor does the breaker that it opens', async () => {
  const { see, counts } = filterOf(open, ...Array<Step>(300).fill(never), factsWith());
  expect(tally(await flood(see, 300))).toEqual({ DEADLINE: 192, OVERLOADED: 108 });
  // the breaker is open now
  expect(tally(await flood(see, 50, 1))).not.toHaveProperty('answered by on-unavailable');
  expect(counts.get('ipfilter_on_unavailable allow')).toBeUndefined();
});

test('while the breaker that a flood opened rests, nothing is allowed', async () => {
  const { see } = filterOf(open, never);
  await flood(see, 120);
  for (let ms = 0; ms < 1900; ms += 100) {
    expect(await see(`10.9.0.${ms / 100}`)).toBe('UNREACHABLE');
    vi.advanceTimersByTime(100);
  }
});

test('when the flood is over and a question alone fails too, it is an outage', async () => {
  const { see } = filterOf(open, never);
  await flood(see, 120);
  vi.advanceTimersByTime(2500);
  const alone = see('192.0.2.1');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await alone).toBe('answered by on-unavailable');
  expect(await see('192.0.2.2')).toBe('answered by on-unavailable');
});

test('the first question after a flood proves nothing: the function may still work it off', async () => {
  const steps = [...Array<Step>(17).fill(late(failure('ANSWER_UNSIGNED'), 50)), failure('ANSWER_UNSIGNED')];
  const { see } = filterOf(open, ...steps);
  const all = Array.from({ length: 17 }, (_, n) => see(`10.0.0.${n}`));
  await vi.advanceTimersByTimeAsync(50);
  expect(tally(await Promise.all(all))).toEqual({ ANSWER_UNSIGNED: 17 });
  vi.advanceTimersByTime(1499);
  expect(await see('10.0.1.1')).toBe('ANSWER_UNSIGNED');
  vi.advanceTimersByTime(1);
  expect(await see('10.0.1.2')).toBe('answered by on-unavailable');
});

test.each([
  ['an allow', factsWith(), 'answered'],
  ['a denial', signedError('permission_denied'), 'DENIED'],
])('an outage is over with the first answer, %s: a flood after it buys nothing', async (_, answer, seen) => {
  const { see } = filterOf(open, failure('ANSWER_UNSIGNED'), answer, never);
  expect(await see('192.0.2.1')).toBe('answered by on-unavailable');
  expect(await see('192.0.2.2')).toBe(seen);
  expect(tally(await flood(see, 100))).toEqual({ DEADLINE: 100 });
});

test('what is throttled in an outage is denied, and before a flood it is no sign of an outage', async () => {
  const throttled = new ThrottledError('office@live', undefined);
  const { see } = filterOf(open, failure('ANSWER_UNSIGNED'), throttled);
  expect([await see('192.0.2.1'), await see('192.0.2.2')]).toEqual([
    'answered by on-unavailable',
    'ANSWER_UNSIGNED',
  ]);
  const other = filterOf(open, throttled, late(failure('ANSWER_UNSIGNED'), 10));
  await other.see('192.0.2.1');
  expect(tally(await flood(other.see, 17))).toEqual({ ANSWER_UNSIGNED: 17 });
});

test.each([
  ['by the function, whose list is broken', signedError('unavailable'), 'FUNCTION_ERROR'],
  ['on the way', failure('ANSWER_UNSIGNED'), 'ANSWER_UNSIGNED'],
])('a Reload that fails %s proves no outage: a flood after it buys nothing', async (_, error, code) => {
  const { see, reload } = filterOf(open, error, never);
  expect(await reload()).toBe(code);
  expect(tally(await flood(see, 300))).toEqual({ DEADLINE: 192, OVERLOADED: 108 });
});

test('a Reload that is answered ends an outage', async () => {
  const { see, reload } = filterOf(open, failure('ANSWER_UNSIGNED'), factsWith(), never);
  expect(await see('192.0.2.1')).toBe('answered by on-unavailable');
  expect(await reload()).toBe('answered');
  expect(tally(await flood(see, 100))).toEqual({ DEADLINE: 100 });
});

test('a failure of half a minute ago says nothing of a flood now', async () => {
  const { see } = filterOf(open, failure('ANSWER_UNSIGNED'), never);
  expect(await see('192.0.2.1')).toBe('answered by on-unavailable');
  vi.advanceTimersByTime(25_000);
  expect(tally(await flood(see, 100))).toEqual({ DEADLINE: 100 });
});

test.each([
  ['a signed resource_exhausted', signedError('resource_exhausted')],
  ['an unsigned 429', new ThrottledError('office@live', undefined)],
  [
    'a Lambda that is throttled',
    new UnreachableError('429', false, undefined, { expected: '', remedy: '', throttled: true }),
  ],
  ['a question that was shed', failure('OVERLOADED')],
])('%s is denied, however calm it is, and proves no outage', async (_, error) => {
  const { see } = filterOf({ ...open, cache: { entries: 0 } }, error);
  for (let n = 0; n < 5; n += 1) {
    expect(await see(`10.0.0.${n}`)).not.toMatch(/^answered/);
    vi.advanceTimersByTime(5000);
  }
});
