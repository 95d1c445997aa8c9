import { expect, test, vi } from 'vitest';
import { Auth } from '../../../proto/gen/sftpgo/auth_pb.ts';
import { IPFilter } from '../../../proto/gen/sftpgo/ipfilter_pb.ts';
import { Notifier } from '../../../proto/gen/sftpgo/notifier_pb.ts';
import { callOf } from '../../../test/support/invoke.ts';
import { codeOf, factsWith, failure, scripted, signedError } from '../../../test/support/policies.ts';
import type { Handler } from '../../shapes.ts';
import { UnreachableError } from '../../targets/https/send.ts';
import { retry } from './retry.ts';

const read = (options: Parameters<typeof callOf>[2] = {}) => callOf(IPFilter.method.checkIP, {}, options);
const login = () => callOf(Auth.method.checkUserAndPass, {});
const event = () => callOf(Notifier.method.sendFsEvent, {});
const quick = () => retry({ random: () => 0 });

const reset = new UnreachableError('reset', false, undefined);
const idleEnd = Object.assign(new UnreachableError('reset', false, undefined), { idleEnd: true });
const refusedConnection = new UnreachableError('refused', true, undefined);

test.each([
  ['a read after a reset', read, reset, 2],
  ['an event after a reset: the function knows its id', event, reset, 2],
  ['a login after a reset: nobody knows whether it ran', login, reset, 1],
  ['a login after the end of an idle connection: nobody knows either', login, idleEnd, 1],
  ['a login that surely did not run', login, refusedConnection, 2],
  ['a login refused for its time: nothing ran', login, failure('CLOCK_SKEW'), 2],
  ['a read refused for its time', read, failure('CLOCK_SKEW'), 2],
  ['a denial', read, signedError('permission_denied'), 1],
  ['a signed error', read, signedError('unavailable'), 1],
  ['a refused signature', read, failure('ANSWER_REFUSED'), 1],
  ['a time-out', read, failure('DEADLINE'), 1],
  ['drift', read, failure('DRIFT'), 1],
  ['a defect', read, new TypeError('oops'), 1],
] as const)('%s is sent %3$i time(s)', async (_, call, error, times) => {
  const next = scripted(error, factsWith());
  const outcome = await codeOf(quick().wrap(next)(call()));
  expect(next.calls).toHaveLength(times);
  expect(outcome === 'answered').toBe(times === 2);
});

test('twice is enough: the second failure is the answer', async () => {
  const next = scripted(reset, refusedConnection, factsWith());
  await expect(quick().wrap(next)(read())).rejects.toBe(refusedConnection);
  expect(next.calls).toHaveLength(2);
  expect(next.calls[0]?.id).toBe(next.calls[1]?.id);
});

test('not when the time is nearly over', async () => {
  const next = scripted(reset, factsWith());
  expect(await codeOf(quick().wrap(next)(read({ timeoutMs: 20 })))).toBe('UNREACHABLE');
  expect(next.calls).toHaveLength(1);
});

test('not for a host that gave up, before the pause or in it', async () => {
  const next = scripted(reset, reset, factsWith());
  expect(await codeOf(quick().wrap(next)(read({ signal: AbortSignal.abort() })))).toBe('UNREACHABLE');
  const host = new AbortController();
  const outcome = codeOf(quick().wrap(next)(read({ signal: host.signal })));
  setImmediate(() => host.abort());
  expect(await outcome).toBe('UNREACHABLE');
  expect(next.calls).toHaveLength(2);
});

test('idle connections that end: as many as a role has are sent again, once a minute, and take nothing from the rest', async () => {
  const policy = quick();
  const many = async (step: () => Handler, times: number) => {
    const ends = await Promise.all(
      Array.from({ length: times }, () => codeOf(policy.wrap(step())(read({ timeoutMs: 60_000 })))),
    );
    return ends.filter((end) => end === 'answered').length;
  };
  const ended = () => scripted(idleEnd, factsWith());
  expect(await many(ended, 256)).toBe(256);
  expect(await many(() => scripted(reset, factsWith()), 11)).toBe(10);
  expect(await many(ended, 1)).toBe(0);
  vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 60_000);
  expect(await many(ended, 256)).toBe(256);
  vi.restoreAllMocks();
});

test('an outage is not made worse: after ten retries there are none, and successes earn them back', async () => {
  const policy = quick();
  const many = async (next: Handler, times: number) =>
    await Promise.all(Array.from({ length: times }, () => codeOf(policy.wrap(next)(read()))));
  const down = scripted(reset);
  await many(down, 30);
  expect(down.calls).toHaveLength(40);
  const blip = () => scripted(reset, factsWith());
  expect(await many(blip(), 1)).toEqual(['UNREACHABLE']);
  await many(scripted(factsWith()), 4);
  expect(await many(blip(), 1)).toEqual(['UNREACHABLE']);
  await many(scripted(factsWith()), 1);
  expect(await many(blip(), 1)).toEqual(['answered']);
});
