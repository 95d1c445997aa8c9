import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { create } from '@bufbuild/protobuf';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { IPFilter } from '../../../proto/gen/sftpgo/ipfilter_pb.ts';
import { callOf } from '../../../test/support/invoke.ts';
import { codeOf } from '../../../test/support/policies.ts';
import { retry } from '../../policies/shared/retry.ts';
import { httpsTarget } from './index.ts';

const undo: (() => unknown)[] = [];
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(async () => {
  vi.useRealTimers();
  for (const step of undo.splice(0).reverse()) await step();
});

/** A function whose connections `onReuse` treats from their second request on; the first is answered. */
async function functionThat(onReuse: RequestListener) {
  const seen = new Set<Socket>();
  const server: Server = createServer((request, response) => {
    if (seen.has(request.socket)) {
      onReuse(request, response);
      return;
    }
    seen.add(request.socket);
    // together, so that each has a connection of its own
    setTimeout(() => response.end('{}'), 50);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const target = httpsTarget(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  undo.push(
    () => new Promise((resolve) => server.close(resolve)),
    () => server.closeAllConnections(),
    () => target.close(),
  );
  const url = `${target.origin('')}/proto.IPFilter/CheckIP`;
  const handle = retry().wrap(async ({ method, signal }) => {
    await target.send({ url, headers: [], body: new Uint8Array() }, '', signal);
    return { output: create(method.output) };
  });
  const calls = async (times: number) =>
    await Promise.all(
      Array.from({ length: times }, () => codeOf(handle(callOf(IPFilter.method.checkIP, {})))),
    );
  return { seen, calls };
}

const answered = (times: number) => Array.from({ length: times }, () => 'answered');

test('after a pause the function may end all its connections: every call is sent again over a new one', async () => {
  const { calls, seen } = await functionThat(({ socket }) => socket.destroy());
  expect(await calls(30)).toEqual(answered(30));
  expect(seen.size).toBe(30);
  vi.advanceTimersByTime(1000);
  expect(await calls(30)).toEqual(answered(30));
});

test('fewer calls than idle connections: the second attempt does not meet another that has ended', async () => {
  const { calls } = await functionThat(({ socket }) => socket.destroy());
  await calls(30);
  vi.advanceTimersByTime(1000);
  expect(await calls(10)).toEqual(answered(10));
});

test('nor does a single call, with two idle connections', async () => {
  const { calls } = await functionThat(({ socket }) => socket.resetAndDestroy());
  await calls(2);
  vi.advanceTimersByTime(1000);
  expect(await calls(1)).toEqual(answered(1));
});

test('a function that dies over the work is an outage, however long its connections lay idle', async () => {
  let worksMs = 501;
  const { calls } = await functionThat(({ socket }) => {
    vi.advanceTimersByTime(worksMs);
    worksMs = 0;
    // all are asked before the first one dies
    setTimeout(() => socket.destroy(), 50);
  });
  await calls(30);
  vi.advanceTimersByTime(1000);
  const ends = await calls(30);
  expect(ends.filter((end) => end === 'UNREACHABLE')).toHaveLength(20);
});

test('connections that end while they are in use are an outage, which is not doubled', async () => {
  const { calls } = await functionThat(({ socket }) => socket.destroy());
  await calls(30);
  vi.advanceTimersByTime(900);
  const ends = await calls(30);
  expect(ends.filter((end) => end === 'UNREACHABLE')).toHaveLength(20);
});

test('an answer that began and broke is no idle connection that ended', async () => {
  const { calls } = await functionThat(({ socket }, response) => {
    response.write('{');
    setTimeout(() => socket.resetAndDestroy(), 10);
  });
  await calls(30);
  vi.advanceTimersByTime(1000);
  const ends = await calls(30);
  expect(ends.filter((end) => end === 'UNREACHABLE')).toHaveLength(20);
});
