import { expect, test } from 'vitest';
import { IPFilter } from '../../../proto/gen/sftpgo/ipfilter_pb.ts';
import { callOf } from '../../../test/support/invoke.ts';
import { factsWith, failure, scripted } from '../../../test/support/policies.ts';
import type { Call } from '../../shapes.ts';
import { deadline, HostGaveUpError } from './deadline.ts';

const ask = (options: Parameters<typeof callOf>[2] = {}) => callOf(IPFilter.method.checkIP, {}, options);
const never = () => new Promise<never>(() => undefined);

test('a handler that does not listen is left behind at the deadline, and told', async () => {
  let told: AbortSignal | undefined;
  const stuck = (call: Call) => {
    told = call.signal;
    return never();
  };
  const outcome = deadline().wrap(stuck)(ask({ timeoutMs: 20 }));
  await expect(outcome).rejects.toMatchObject({
    code: 'DEADLINE',
    happened: expect.stringContaining('CheckIP'),
  });
  expect(told?.aborted).toBe(true);
});

test('a host that gives up ends the call, before it begins too', async () => {
  const host = new AbortController();
  const outcome = deadline().wrap(never)(ask({ signal: host.signal }));
  host.abort();
  await expect(outcome).rejects.toBeInstanceOf(HostGaveUpError);
  const next = scripted(factsWith());
  await expect(deadline().wrap(next)(ask({ signal: host.signal }))).rejects.toBeInstanceOf(HostGaveUpError);
  expect(next.calls).toHaveLength(0);
});

test('answers and errors in time pass, and nothing aborts after them', async () => {
  const next = scripted(factsWith(), failure('DRIFT'));
  const handle = deadline().wrap(next);
  await expect(handle(ask({ timeoutMs: 20 }))).resolves.toMatchObject({ facts: factsWith() });
  await expect(handle(ask({ timeoutMs: 20 }))).rejects.toMatchObject({ code: 'DRIFT' });
  await new Promise((resolve) => setTimeout(resolve, 40));
  expect(next.calls.map(({ signal }) => signal.aborted)).toEqual([false, false]);
});
