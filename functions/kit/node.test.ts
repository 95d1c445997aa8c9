import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { RequestMessage } from '../../proto/signature/message.ts';
import { createCaller, toAnswer } from './fixtures/caller.ts';
import { ipfilter } from './ipfilter.ts';
import { serve } from './node.ts';
import { allow, deny } from './verdict.ts';

const caller = createCaller();
const plugin = ipfilter({ checkIP: ({ ip }) => (ip === '203.0.113.9' ? allow() : deny('no')) });

beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => undefined));
afterEach(() => vi.restoreAllMocks());

function post({ url, headers, body }: RequestMessage): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: headers.map(([k, v]) => [k, v]),
    body: body as Uint8Array<ArrayBuffer>,
  });
}

test('a plugin is served over HTTP, signed; close() frees the port', async () => {
  const served = await serve(plugin, { env: caller.env });
  const request = await caller.sign({ origin: served.url, body: { ip: '203.0.113.9' } });
  const answer = await toAnswer(await post(request));
  expect(answer.status).toBe(200);
  await caller.verify(request, answer);
  const denied = await caller.sign({ origin: served.url, body: { ip: '192.0.2.1' } });
  expect((await post(denied)).status).toBe(403);
  await served.close();
  const again = await serve(plugin, { env: caller.env, port: Number(new URL(served.url).port) });
  expect(again.url).toBe(served.url);
  await expect(serve(plugin, { port: Number(new URL(served.url).port) })).rejects.toThrow('EADDRINUSE');
  await again.close();
});

test('refused requests with bodies leave a kept-alive connection usable', async () => {
  const served = await serve(plugin, { env: caller.env });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const send = (path: string, body: Uint8Array, headers: Record<string, string> = {}) =>
    new Promise<{ status: number | undefined; closes: boolean }>((resolve, reject) => {
      httpRequest(`${served.url}${path}`, { method: 'POST', agent, headers }, (response) => {
        response
          .resume()
          .on('end', () =>
            resolve({ status: response.statusCode, closes: response.headers.connection === 'close' }),
          );
      })
        .on('error', reject)
        .end(body);
    });
  for (let n = 0; n < 20; n++) {
    expect(await send('/proto.IPFilter/CheckIP', new Uint8Array(50_000))).toEqual({
      status: 401,
      closes: false,
    });
    expect(await send('/elsewhere', new Uint8Array(2_000_000))).toEqual({ status: 404, closes: false });
  }
  expect(await send('/proto.IPFilter/CheckIP', new Uint8Array(2_000_000))).toEqual({
    status: 429,
    closes: false,
  });
  agent.destroy();
  await served.close();
});

test('a body without an end is cut off and the connection closed', async () => {
  const served = await serve(plugin, { env: caller.env });
  const socket = connect(Number(new URL(served.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('POST /proto.IPFilter/CheckIP HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\nx');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(socket, 'close');
  expect(text).toMatch(/^HTTP\/1\.1 429 /);
  expect(text.toLowerCase()).toContain('connection: close');
  await served.close();
});

test('close() waits for work that goes on after the answer', async () => {
  const done = vi.fn();
  const work = Promise.withResolvers<void>();
  const slow = ipfilter({
    checkIP(_, { waitUntil }) {
      waitUntil(work.promise.then(done));
      return allow();
    },
  });
  const served = await serve(slow, { env: caller.env });
  await (await post(await caller.sign({ origin: served.url, body: { ip: '192.0.2.1' } }))).arrayBuffer();
  const closing = served.close();
  expect(done).not.toHaveBeenCalled();
  work.resolve();
  await closing;
  expect(done).toHaveBeenCalledOnce();
});
