import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { IPFilter } from '../../../proto/gen/sftpgo/ipfilter_pb.ts';
import { callOf, recordingLog } from '../../../test/support/invoke.ts';
import {
  codeOf,
  factsWith,
  failure,
  type Step,
  scripted,
  signedError,
} from '../../../test/support/policies.ts';
import type { Handler } from '../../shapes.ts';
import { breaker } from './breaker.ts';
import { HostGaveUpError } from './deadline.ts';
import { ShedError } from './limit.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const ask = () => callOf(IPFilter.method.checkIP, {});
const unreachable = failure('UNREACHABLE');
const gaveUp = new HostGaveUpError('CheckIP');

/** A breaker in front of a function whose behaviour can be changed. */
function guarded() {
  let next: Handler & { calls: readonly unknown[] } = scripted(factsWith());
  const handle = breaker().wrap((call) => next(call));
  return {
    /** Lets the function behave so for `times` calls; gives what the host saw, and how many were let through. */
    async during(step: Step, times: number) {
      next = scripted(step);
      const seen: string[] = [];
      for (let index = 0; index < times; index += 1) seen.push(await codeOf(handle(ask())));
      return { seen: new Set(seen), asked: next.calls.length };
    },
    one: (step: Step) => {
      next = scripted(step);
      return codeOf(handle(ask()));
    },
  };
}

test.each(['UNREACHABLE', 'DEADLINE'] as const)(
  'ten calls that end in %s, and it is not asked any more',
  async (code) => {
    const { during } = guarded();
    expect(await during(failure(code), 9)).toMatchObject({ asked: 9 });
    expect(await during(factsWith(), 1)).toMatchObject({ asked: 1 });
    expect(await during(failure(code), 1)).toMatchObject({ asked: 1 });
    expect(await during(factsWith(), 5)).toEqual({ asked: 0, seen: new Set(['UNREACHABLE']) });
  },
);

test.each([
  ['a denial', signedError('permission_denied')],
  ['a signed error', signedError('unavailable')],
  ['an unsigned page', failure('ANSWER_UNSIGNED')],
  ['a refused signature', failure('ANSWER_REFUSED')],
  ['drift', failure('DRIFT')],
  ['a host that gave up', gaveUp],
  ['a call that was shed', new ShedError()],
])('%s never opens it', async (_, step) => {
  const { during } = guarded();
  expect(await during(step, 50)).toMatchObject({ asked: 50 });
  expect(await during(factsWith(), 1)).toMatchObject({ asked: 1 });
});

test('signed denials count for the function: one failure in three does not open it', async () => {
  const { during } = guarded();
  for (let round = 0; round < 20; round += 1) {
    await during(signedError('permission_denied'), 2);
    expect(await during(unreachable, 1)).toMatchObject({ asked: 1 });
  }
});

test('after two seconds one call tries, and its success lets all through', async () => {
  const { during } = guarded();
  await during(unreachable, 10);
  vi.advanceTimersByTime(1999);
  expect(await during(factsWith(), 1)).toMatchObject({ asked: 0 });
  vi.advanceTimersByTime(1);
  expect(await during(factsWith(), 20)).toEqual({ asked: 20, seen: new Set(['answered']) });
});

test('a denial shows that the function is back, and old failures are forgotten', async () => {
  const { during } = guarded();
  await during(unreachable, 10);
  vi.advanceTimersByTime(2000);
  expect(await during(signedError('permission_denied'), 1)).toMatchObject({ asked: 1 });
  expect(await during(unreachable, 1)).toMatchObject({ asked: 1 });
  expect(await during(factsWith(), 5)).toMatchObject({ asked: 5 });
});

test('while one call tries, the others fail at once instead of waiting for it', async () => {
  const { during, one } = guarded();
  await during(unreachable, 10);
  vi.advanceTimersByTime(2000);
  const { promise, resolve } = Promise.withResolvers<ReturnType<typeof factsWith>>();
  const tries = one(promise);
  expect(await during(factsWith(), 3)).toEqual({ asked: 0, seen: new Set(['UNREACHABLE']) });
  resolve(factsWith());
  expect(await tries).toBe('answered');
  expect(await during(factsWith(), 3)).toMatchObject({ asked: 3 });
});

test.each([
  ['fails', unreachable],
  ['is given up by the host', gaveUp],
])('when the call that tries %s, it stays open', async (_, step) => {
  const { during } = guarded();
  await during(unreachable, 10);
  vi.advanceTimersByTime(2000);
  expect(await during(step, 1)).toMatchObject({ asked: 1 });
  expect(await during(factsWith(), 5)).toMatchObject({ asked: 0 });
});

test('the gauge is 1 while calls fail at once: not after the rest, though nobody has asked since', async () => {
  let read = () => -1;
  const gauge = (_: string, reading: () => number) => {
    read = reading;
  };
  const tools = { functionName: 'office@live', log: recordingLog(), gauge };
  let step: Step = unreachable;
  const handle = breaker({ tools }).wrap((call) => scripted(step)(call));
  expect(read()).toBe(0);
  for (let n = 0; n < 10; n += 1) await codeOf(handle(ask()));
  expect(read()).toBe(1);
  vi.advanceTimersByTime(1999);
  expect(read()).toBe(1);
  vi.advanceTimersByTime(1);
  expect(read()).toBe(0);
  // one tries: the others fail until it is back
  const { promise, resolve } = Promise.withResolvers<Error>();
  step = promise;
  const tries = codeOf(handle(ask()));
  expect([read(), await codeOf(handle(ask()))]).toEqual([1, 'UNREACHABLE']);
  vi.advanceTimersByTime(5000);
  expect(read()).toBe(1);
  resolve(unreachable);
  await tries;
  expect(read()).toBe(1);
  vi.advanceTimersByTime(2000);
  expect(read()).toBe(0);
});

test('a clock that is set back does not keep it open', async () => {
  const { during } = guarded();
  await during(unreachable, 10);
  vi.setSystemTime(Date.now() - 3_600_000);
  vi.advanceTimersByTime(5000);
  await during(factsWith(), 1);
  expect(await during(factsWith(), 5)).toMatchObject({ asked: 5 });
});

test('calls that were shed do not hide that the function is away', async () => {
  const { during } = guarded();
  await during(unreachable, 10);
  vi.advanceTimersByTime(2000);
  // the one that tries finds no place: nothing is known, so the rest goes on
  expect(await during(new ShedError(), 1)).toEqual({ asked: 1, seen: new Set(['UNREACHABLE']) });
  expect(await during(factsWith(), 1)).toMatchObject({ asked: 0 });
  vi.advanceTimersByTime(2000);
  await during(factsWith(), 1);
  for (let round = 0; round < 10; round += 1) {
    await during(new ShedError(), 5);
    await during(unreachable, 1);
  }
  expect(await during(factsWith(), 1)).toMatchObject({ asked: 0 });
});
