import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { IPFilter } from '../../../proto/gen/sftpgo/ipfilter_pb.ts';
import { callOf } from '../../../test/support/invoke.ts';
import {
  codeOf,
  factsWith,
  failure,
  type Step,
  scripted,
  signedError,
} from '../../../test/support/policies.ts';
import type { Facts, Handler, Trace } from '../../shapes.ts';
import { type CacheOptions, cache, type Entry, type Key, type Lifetime } from './cache.ts';
import { deadline } from './deadline.ts';
import { lruStore } from './lru-store.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const unreachable = failure('UNREACHABLE');
const minute = factsWith({ freshMs: 60_000 });

/** A cache over a deadline over a function that plays `steps`; keys are addresses. */
function remembered(steps: readonly Step[], options: Partial<CacheOptions<Key, Lifetime, Entry>> = {}) {
  const next = scripted(...steps);
  const policy = cache<Key, Lifetime, Entry>({
    store: lruStore(10),
    key(call) {
      const id = String(Object(call.input).ip);
      return id === '' ? undefined : { id };
    },
    lifetime: (_, { freshMs, staleWhileRevalidateMs = 0, staleMs = 0 }: Facts) =>
      freshMs === undefined ? undefined : { freshMs, staleWhileRevalidateMs, staleIfErrorMs: staleMs },
    ...options,
  });
  const handle: Handler = policy.wrap(deadline().wrap(next));
  return {
    next,
    reload: async () => await policy.reload?.(),
    ask: (ip = '192.0.2.1', callOptions: Parameters<typeof callOf>[2] = {}) =>
      handle(callOf(IPFilter.method.checkIP, { ip }, callOptions)),
    /** The same, as the code or `answered`, with who answered. */
    async see(ip = '192.0.2.1'): Promise<string> {
      const trace: Trace = {};
      const code = await codeOf(handle(callOf(IPFilter.method.checkIP, { ip }, { trace })));
      return trace.answeredBy === undefined ? code : `${code} by ${trace.answeredBy}`;
    },
  };
}

test('a fresh answer is not asked for again, and its facts are shown', async () => {
  const { ask, see, next } = remembered([minute]);
  await ask();
  vi.advanceTimersByTime(59_999);
  expect(await see()).toBe('answered by cache');
  const trace: Trace = {};
  await ask('192.0.2.1', { trace });
  expect(trace.facts).toEqual(minute);
  expect(next.calls).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(await see()).toBe('answered');
  expect(next.calls).toHaveLength(2);
});

test('a denial is remembered as an allow is', async () => {
  const { see, next } = remembered([signedError('permission_denied', { freshMs: 60_000 })]);
  expect([await see(), await see()]).toEqual(['DENIED', 'DENIED by cache']);
  expect(next.calls).toHaveLength(1);
});

test('each key has its own answer', async () => {
  const { see } = remembered([minute, signedError('permission_denied', { freshMs: 60_000 })]);
  expect([await see('a'), await see('b')]).toEqual(['answered', 'DENIED']);
  expect([await see('a'), await see('b')]).toEqual(['answered by cache', 'DENIED by cache']);
});

test('stale while revalidating: from memory at once, one question in the background, then the new answer', async () => {
  const facts = factsWith({ freshMs: 1000, staleWhileRevalidateMs: 1000 });
  const { see, next } = remembered([facts, signedError('permission_denied', { freshMs: 60_000 })]);
  await see();
  vi.advanceTimersByTime(1000);
  expect(await see()).toBe('answered by cache, being revalidated');
  expect(await see()).toBe('DENIED by cache');
  expect(next.calls).toHaveLength(2);
});

test('after both windows the host waits for the function', async () => {
  const facts = factsWith({ freshMs: 1000, staleWhileRevalidateMs: 1000 });
  const { see } = remembered([facts, signedError('permission_denied')]);
  await see();
  vi.advanceTimersByTime(2000);
  expect(await see()).toBe('DENIED');
});

test.each(['UNREACHABLE', 'DEADLINE', 'ANSWER_UNSIGNED', 'ANSWER_REFUSED', 'ANSWER_INVALID'] as const)(
  'stale if %s: from memory, and not a moment longer than said',
  async (code) => {
    const { see } = remembered([factsWith({ freshMs: 1000, staleMs: 5000 }), failure(code)]);
    await see();
    vi.advanceTimersByTime(5999);
    expect(await see()).toBe('answered by cache, stale');
    vi.advanceTimersByTime(1);
    expect(await see()).toBe(code);
  },
);

test('a black hole: the stale answer at the deadline', async () => {
  const { see } = remembered([factsWith({ freshMs: 1000, staleMs: 60_000 }), new Promise(() => undefined)]);
  await see();
  vi.advanceTimersByTime(1000);
  const outcome = see();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await outcome).toBe('answered by cache, stale');
});

test.each(['DRIFT', 'CONFIG_INVALID', 'LOCK_INVALID', 'OVERLOADED', 'INTERNAL'] as const)(
  '%s is never covered by a stale answer',
  async (code) => {
    const { see } = remembered([factsWith({ freshMs: 1000, staleMs: 5000 }), failure(code)]);
    await see();
    vi.advanceTimersByTime(1000);
    expect(await see()).toBe(code);
  },
);

test('failures are not remembered, nor answers that do not say how long they hold', async () => {
  const { see, next } = remembered([
    unreachable,
    signedError('internal', { freshMs: 60_000 }),
    factsWith(),
    factsWith(),
  ]);
  expect([await see(), await see(), await see(), await see()]).toEqual([
    'UNREACHABLE',
    'FUNCTION_ERROR',
    'answered',
    'answered',
  ]);
  expect(next.calls).toHaveLength(4);
});

test('an answer that may not be kept takes the place of the one that was', async () => {
  const { see } = remembered([
    factsWith({ freshMs: 1000, staleMs: 60_000 }),
    signedError('permission_denied'),
    unreachable,
  ]);
  await see();
  vi.advanceTimersByTime(1000);
  expect([await see(), await see()]).toEqual(['DENIED', 'UNREACHABLE']);
});

test('a hundred equal calls at once are one request, whatever comes of it', async () => {
  for (const step of [minute, factsWith(), unreachable]) {
    const { ask, next } = remembered([Promise.resolve(step)]);
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => codeOf(ask())));
    expect(next.calls).toHaveLength(1);
    expect(new Set(outcomes).size).toBe(1);
  }
});

test('one caller that gives up does not take the flight from the others', async () => {
  const { promise, resolve } = Promise.withResolvers<Facts>();
  const { ask, next } = remembered([promise]);
  const host = new AbortController();
  const first = codeOf(ask('192.0.2.1', { signal: host.signal }));
  const second = codeOf(ask());
  host.abort();
  expect(await first).toBe('DEADLINE');
  expect(next.calls[0]?.signal.aborted).toBe(false);
  resolve(minute);
  expect(await second).toBe('answered');
});

test('who waits for the flight of another keeps its own deadline', async () => {
  const { ask } = remembered([new Promise(() => undefined)]);
  const patient = codeOf(ask('192.0.2.1', { timeoutMs: 10_000 }));
  const hasty = codeOf(ask('192.0.2.1', { timeoutMs: 100 }));
  await vi.advanceTimersByTimeAsync(100);
  expect(await hasty).toBe('DEADLINE');
  await vi.advanceTimersByTimeAsync(9900);
  expect(await patient).toBe('DEADLINE');
});

test('who joins a flight late does not end with it: asks for itself', async () => {
  const { ask, next } = remembered([new Promise(() => undefined), minute]);
  const hasty = codeOf(ask('192.0.2.1', { timeoutMs: 100 }));
  const patient = codeOf(ask('192.0.2.1', { timeoutMs: 10_000 }));
  await vi.advanceTimersByTimeAsync(100);
  expect(await hasty).toBe('DEADLINE');
  expect(await patient).toBe('answered');
  expect(next.calls).toHaveLength(2);
});

test('who joins a flight late is answered by memory when that ends, if memory can', async () => {
  const { ask, see, next } = remembered([
    factsWith({ freshMs: 1000, staleMs: 60_000 }),
    new Promise(() => undefined),
  ]);
  await ask();
  vi.advanceTimersByTime(1000);
  const hasty = codeOf(ask('192.0.2.1', { timeoutMs: 100 }));
  const patient = see();
  await vi.advanceTimersByTimeAsync(100);
  expect(await hasty).toBe('answered');
  expect(await patient).toBe('answered by cache, stale');
  expect(next.calls).toHaveLength(2);
});

test('after drift, what was remembered stands in for nothing: neither at once nor when the line is cut', async () => {
  const remember = factsWith({ freshMs: 1000, staleWhileRevalidateMs: 60_000, staleMs: 60_000 });
  const { see, next } = remembered([remember, failure('DRIFT'), unreachable]);
  await see();
  vi.advanceTimersByTime(1000);
  expect(await see()).toBe('answered by cache, being revalidated');
  await vi.waitFor(() => expect(next.calls).toHaveLength(2));
  expect(await see()).toBe('UNREACHABLE');
});

test('a reload makes answers stale, and drops none before the function has answered', async () => {
  const { see, reload } = remembered([
    factsWith({ freshMs: 60_000, staleMs: 60_000 }),
    unreachable,
    signedError('permission_denied', { freshMs: 60_000 }),
  ]);
  await see();
  await reload();
  expect(await see()).toBe('answered by cache, stale');
  expect(await see()).toBe('DENIED');
  expect(await see()).toBe('DENIED by cache');
});

test('a question from before a reload does not answer calls that come after it, nor undo what they learn', async () => {
  const { promise, resolve } = Promise.withResolvers<Facts>();
  const { see, reload } = remembered([promise, signedError('permission_denied', { freshMs: 60_000 })]);
  const before = see();
  await reload();
  expect(await see()).toBe('DENIED');
  resolve(minute);
  expect(await before).toBe('answered');
  expect(await see()).toBe('DENIED by cache');
});

test('an answer to a question from before a reload is stale when it arrives', async () => {
  const { promise, resolve } = Promise.withResolvers<Facts>();
  const { see, reload } = remembered([promise, signedError('permission_denied')]);
  const before = see();
  await reload();
  resolve(minute);
  expect(await before).toBe('answered');
  expect(await see()).toBe('DENIED');
});

test('no entries: nothing is remembered, and equal calls still share a flight', async () => {
  const { ask, see, next } = remembered([minute], { store: undefined });
  await Promise.all([ask(), ask(), ask()]);
  expect(next.calls).toHaveLength(1);
  expect(await see()).toBe('answered');
  expect(next.calls).toHaveLength(2);
});

test('no more than so many entries: the one not used for longest goes', async () => {
  const { see } = remembered([minute], { store: lruStore(2) });
  for (const ip of ['a', 'b', 'a', 'c']) await see(ip);
  expect([await see('a'), await see('c'), await see('b')]).toEqual([
    'answered by cache',
    'answered by cache',
    'answered',
  ]);
});

test('a call without a key is neither remembered nor shared', async () => {
  const { ask, next } = remembered([minute]);
  await Promise.all([ask(''), ask('')]);
  expect(next.calls).toHaveLength(2);
});
