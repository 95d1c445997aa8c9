import { create } from '@bufbuild/protobuf';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Auth } from '../../../proto/gen/sftpgo/auth_pb.ts';
import { Notifier } from '../../../proto/gen/sftpgo/notifier_pb.ts';
import { callOf } from '../../../test/support/invoke.ts';
import { codeOf } from '../../../test/support/policies.ts';
import type { Call, Handler } from '../../shapes.ts';
import { limit } from './limit.ts';

const password = (options = {}) => callOf(Auth.method.checkUserAndPass, { username: 'alice' }, options);
const key = (options = {}) => callOf(Auth.method.checkUserAndPublicKey, { username: 'alice' }, options);

/** A function that answers when it is told to. */
function slow(): Handler & { readonly open: { call: Call; answer: () => void }[] } {
  const open: { call: Call; answer: () => void }[] = [];
  const handler: Handler = (call) =>
    new Promise((resolve) =>
      open.push({ call, answer: () => resolve({ output: create(call.method.output) }) }),
    );
  return Object.assign(handler, { open });
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});
const settle = async () => await vi.advanceTimersByTimeAsync(0);

test('what is above the bound waits, and goes on in its order', async () => {
  const next = slow();
  const handle = limit({ maxInFlight: 2 }).wrap(next);
  const calls = [1, 2, 3, 4].map((n) => handle({ ...password(), id: String(n) }));
  await settle();
  expect(next.open.map(({ call }) => call.id)).toEqual(['1', '2']);
  next.open[1]?.answer();
  await calls[1];
  await settle();
  expect(next.open.map(({ call }) => call.id)).toEqual(['1', '2', '3']);
  next.open[0]?.answer();
  next.open[2]?.answer();
  await settle();
  next.open[3]?.answer();
  await Promise.all(calls);
});

test('one too many is shed at once', async () => {
  const next = slow();
  const handle = limit({ maxInFlight: 1, maxQueued: 1 }).wrap(next);
  const calls = [password(), password(), password()].map((call) => codeOf(handle(call)));
  expect(await calls[2]).toBe('OVERLOADED');
  next.open[0]?.answer();
  await settle();
  next.open[1]?.answer();
  expect(await Promise.all(calls)).toEqual(['answered', 'answered', 'OVERLOADED']);
});

test('one that waits longer than half of its time, or five seconds, is shed', async () => {
  const handle = limit({ maxInFlight: 1 }).wrap(slow());
  void handle(password());
  const short = codeOf(handle(password({ timeoutMs: 800 })));
  const long = codeOf(handle(password({ timeoutMs: 20_000 })));
  await vi.advanceTimersByTimeAsync(399);
  expect(await Promise.race([short, 'waiting'])).toBe('waiting');
  await vi.advanceTimersByTimeAsync(1);
  expect(await short).toBe('OVERLOADED');
  await vi.advanceTimersByTimeAsync(4600);
  expect(await long).toBe('OVERLOADED');
});

test('a flooded RPC leaves room for the others', async () => {
  const next = slow();
  const handle = limit({ maxInFlight: 4, maxOfOneRpc: 3 }).wrap(next);
  for (let n = 0; n < 10; n += 1) void handle(password());
  await settle();
  expect(next.open).toHaveLength(3);
  void handle(key());
  await settle();
  expect(next.open.at(-1)?.call.method.name).toBe('CheckUserAndPublicKey');
});

test('RPCs that wait take turns', async () => {
  const next = slow();
  const handle = limit({ maxInFlight: 1 }).wrap(next);
  const order = [password(), password(), password(), key(), key()];
  const all = order.map((call) => handle(call));
  for (let n = 0; n < order.length; n += 1) {
    await settle();
    next.open[n]?.answer();
  }
  await Promise.all(all);
  const names = next.open.map(({ call }) => (call.method.name === 'CheckUserAndPass' ? 'p' : 'k'));
  expect(names.join('')).toBe('ppkpk');
});

test('when the queue is full, the longest line loses its newest call', async () => {
  const next = slow();
  const handle = limit({ maxInFlight: 1, maxQueued: 3 }).wrap(next);
  const flood = [1, 2, 3, 4].map(() => codeOf(handle(password())));
  const other = codeOf(handle(key()));
  await settle();
  expect(await Promise.race([flood[3], 'waiting'])).toBe('OVERLOADED');
  expect(await Promise.race([other, 'waiting'])).toBe('waiting');
  expect(await codeOf(handle(password()))).toBe('OVERLOADED');
});

test('what waits is bounded in bytes as well', async () => {
  const handle = limit({ maxInFlight: 1, maxQueuedBytes: 3_000_000 }).wrap(slow());
  const large = () =>
    callOf(Auth.method.checkUserAndPass, { username: 'alice', user: new Uint8Array(2_000_000) });
  void handle(large());
  void handle(large()).catch(() => undefined);
  expect(await codeOf(handle(large()))).toBe('OVERLOADED');
  const small = codeOf(handle(password()));
  await settle();
  expect(await Promise.race([small, 'waiting'])).toBe('waiting');
});

const answers = (texts: string[]) => callOf(Auth.method.sendKeyboardAuthRequest, { answers: texts });
const metadata = (map: Record<string, string>) => callOf(Notifier.method.sendFsEvent, { metadata: map });
const text = 'x'.repeat(200_000);

test.each<readonly [string, () => Call]>([
  ['answers of a dialogue', () => answers([text])],
  ['many short answers', () => answers(Array.from({ length: 20_000 }, () => ''))],
  ['metadata of a file', () => metadata({ key: text })],
  ['names in it', () => metadata({ [text]: '' })],
  ['a field of a newer SFTPGo', () => unknownField(200_000)],
])('%s count for what waits', async (_, large) => {
  const handle = limit({ maxInFlight: 1, maxQueuedBytes: 1_000_000 }).wrap(slow());
  const all = Array.from({ length: 10 }, () => codeOf(handle(large())));
  await settle();
  const ends = await Promise.all(all.map((one) => Promise.race([one, 'waiting'])));
  expect(ends.filter((end) => end === 'OVERLOADED').length).toBeGreaterThanOrEqual(5);
  expect(ends.slice(0, 2)).toEqual(['waiting', 'waiting']);
});

/** A call with a field that this release does not know. */
function unknownField(length: number): Call {
  const call = password();
  call.input.$unknown = [{ no: 999, wireType: 2, data: new Uint8Array(length) }];
  return call;
}

test('a call that the host gave up on leaves its place', async () => {
  const next = slow();
  const handle = limit({ maxInFlight: 1, maxQueued: 1 }).wrap(next);
  void handle(password());
  const abort = new AbortController();
  const given = codeOf(handle(password({ signal: abort.signal })));
  abort.abort();
  expect(await given).toBe('DEADLINE');
  expect(await codeOf(handle(password({ signal: AbortSignal.abort() })))).toBe('DEADLINE');
  const after = handle(password());
  next.open[0]?.answer();
  await settle();
  next.open[1]?.answer();
  await after;
});

test('a failure gives its place back, too', async () => {
  const handle = limit({ maxInFlight: 1 }).wrap(async () => {
    throw new Error('of the function');
  });
  const both = [handle(password()), handle(password())].map((call) => codeOf(call));
  expect(await Promise.all(both)).toEqual(['Error: of the function', 'Error: of the function']);
});
