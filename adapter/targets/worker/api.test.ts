import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type WorkerApi, workerApi } from './api.ts';

const token = 'token-that-nobody-must-see';
const id = '11111111-aaaa-4aaa-8aaa-111111111111';
const account = '0123456789abcdef0123456789abcdef';

let respond: (request: IncomingMessage, response: ServerResponse) => void;
let asked: string[];
let server: Server;
let api: WorkerApi;

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    respond(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  api = at(`http://127.0.0.1:${(server.address() as AddressInfo).port}/client/v4`);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function at(endpoint: string): WorkerApi {
  const settings = { account, endpoint, watchMs: undefined, tokenStamp: '', token: () => token };
  return workerApi(settings, 'office', 'office@live');
}

function answers(status: number, body: unknown, headers: Record<string, string> = {}) {
  asked = [];
  respond = (_, response) => {
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

const good = (result: unknown) => ({ success: true, errors: [], messages: [], result });
const bad = (code: number) => ({
  success: false,
  errors: [{ code, message: 'x' }],
  messages: [],
  result: null,
});
const versions = [{ version_id: id, percentage: 100 }];

test('the first deployment of the list takes the traffic', async () => {
  answers(
    200,
    good({
      deployments: [
        { id: 'a', versions },
        { id: 'b', versions: [] },
      ].slice(0, 1),
    }),
  );
  expect(await api.deployed()).toEqual(versions);
  expect(asked).toEqual([
    `GET /client/v4/accounts/${account}/workers/scripts/office/deployments Bearer ${token}`,
  ]);
});

test('a version is asked for with its modules, a Worker by its name', async () => {
  answers(200, good({ id, modules: [] }));
  expect(await api.version(id)).toMatchObject({ id });
  expect(asked[0]).toContain(`/workers/workers/office/versions/${id}?include=modules`);
  answers(200, good({ name: 'office', tail_consumers: [] }));
  expect(await api.worker()).toMatchObject({ name: 'office' });
});

test.each([
  ['a token that is refused', 401, bad(10001), 'forbids to look'],
  ['a token without the right', 403, bad(10000), 'forbids to look'],
  ['a token of another form', 400, bad(6003), 'forbids to look'],
  ['too many requests', 429, bad(971), 'throttles'],
  ['a failure of theirs', 500, bad(6003), 'cannot be reached (500, 6003)'],
  ['a page of something in between', 502, '<html>', 'cannot be reached (502, 0)'],
  ['a wrong account', 404, bad(7003), 'cannot be reached (404, 7003)'],
  ['a redirect', 302, '', 'cannot be reached (302, 0)'],
  ['an answer that says it failed', 200, bad(1), 'an answer of another shape'],
  ['no JSON', 200, 'hello', 'an answer of another shape'],
  ['another shape', 200, good({ deployments: [{ versions: [] }] }), 'an answer of another shape'],
])('%s is a reason to serve on with what is known', async (_, status, body, said) => {
  answers(status, body, { location: '/elsewhere' });
  const error: Error = await api.deployed().then(
    () => new Error('answered'),
    (thrown) => thrown,
  );
  expect(error).toMatchObject({ name: 'UnreachableError', notExecuted: true });
  expect(error.message).toContain(said);
  expect(error.message).not.toContain(token);
  expect(asked).toHaveLength(1);
});

test.each([
  ['Worker', 10007, () => api.worker(), 'Cloudflare has no Worker office'],
  ['version', 10054, () => api.version(id), `Cloudflare has no version ${id}`],
  ['deployment of it', 10007, () => api.deployed(), 'Cloudflare has no Worker office'],
])('no such %s is drift', async (_, code, ask, said) => {
  answers(404, bad(code));
  await expect(ask()).rejects.toMatchObject({ code: 'DRIFT', happened: expect.stringContaining(said) });
});

test('a Worker that was never deployed is drift', async () => {
  answers(200, good({ deployments: [] }));
  await expect(api.deployed()).rejects.toMatchObject({ code: 'DRIFT' });
});

test.each([
  ['another version than was asked for', good({ id: 'other', modules: [] })],
  ['a version without its modules', good({ id })],
])('%s proves nothing', async (_, body) => {
  answers(200, body);
  await expect(api.version(id)).rejects.toMatchObject({ code: 'UNREACHABLE' });
});

test('an answer without end is not read to its end', async () => {
  answers(200, '');
  const mebibyte = Buffer.alloc(1024 * 1024, 0x20);
  let sent = 0;
  respond = (_, response) => {
    const more = () => {
      do sent += 1;
      while (response.write(mebibyte));
      response.once('drain', more);
    };
    more();
  };
  await expect(api.deployed()).rejects.toMatchObject({
    happened: expect.stringContaining('over 16777216 bytes'),
  });
  expect(sent).toBeLessThan(64);
});

test('nobody there', async () => {
  await expect(at('http://127.0.0.1:1/client/v4').deployed()).rejects.toMatchObject({
    happened: expect.stringContaining("Cloudflare's API cannot be reached (ECONNREFUSED)"),
  });
});

test.each([
  { bindings: ['A', 'A'].map((name) => ({ name, type: 'plain_text', text: 'x' })) },
  { modules: ['a.js', 'a.js'].map((name) => ({ name, content_type: 'x', content_base64: '' })) },
])('a version that names something twice is not understood: %o', async (version) => {
  answers(200, good({ id, ...version }));
  await expect(api.version(id)).rejects.toMatchObject({ code: 'UNREACHABLE' });
});
