import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { failure } from '../../test/support/policies.ts';
import type { HttpAnswer, Target } from '../shapes.ts';
import { Metrics } from './registry.ts';
import { timedTarget } from './timed-target.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('each request counts with its time, one that fails or is given up too, under its RPC and target', async () => {
  const ends: Promise<HttpAnswer>[] = [];
  const target: Target = {
    origin: (pin) => `https://office.example/${pin}`,
    async send() {
      vi.advanceTimersByTime(2000);
      return await (ends.shift() ?? Promise.reject(failure('UNREACHABLE')));
    },
    close: async () => undefined,
  };
  const metrics = new Metrics();
  const timed = timedTarget(target, 'worker', metrics);
  const send = (rpc: string, signal = new AbortController().signal) =>
    timed.send(
      { url: `${timed.origin('v')}/proto.IPFilter/${rpc}`, headers: [], body: Buffer.of() },
      'v',
      signal,
    );
  const answer = { status: 200, headers: [], body: Buffer.of() };

  ends.push(Promise.resolve(answer));
  expect(await send('CheckIP')).toBe(answer);
  await expect(send('CheckIP')).rejects.toMatchObject({ code: 'UNREACHABLE' });
  const abort = new AbortController();
  ends.push(
    new Promise((_, reject) =>
      abort.signal.addEventListener('abort', () => reject(failure('DEADLINE')), { once: true }),
    ),
  );
  const given = send('Reload', abort.signal);
  vi.advanceTimersByTime(18_000);
  abort.abort();
  await expect(given).rejects.toMatchObject({ code: 'DEADLINE' });

  const samples = metrics.samples().map(({ family, labels, value }) => [family, labels, value]);
  expect(samples).toMatchObject([
    ['function_seconds', { rpc: 'CheckIP', target: 'worker' }, { count: 2, sumS: 4 }],
    ['function_seconds', { rpc: 'Reload', target: 'worker' }, { count: 1, sumS: 20 }],
  ]);
});
