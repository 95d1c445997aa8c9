import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { apiAccess, workersApi } from './api.ts';

let server: Server;
let baseUrl: string;
interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly location?: string;
}
let answer: Answer;
let asked: { url: string; authorization: string | undefined };
beforeAll(async () => {
  server = createServer((request, response) => {
    asked = { url: request.url ?? '', authorization: request.headers.authorization };
    const { status, body, location } = request.url === '/elsewhere' ? result({ name: 'office' }) : answer;
    response.writeHead(status, location === undefined ? {} : { location });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const api = () => workersApi({ account: 'acc', token: 'secret-token', baseUrl });
const result = (value: unknown): Answer => ({
  status: 200,
  body: { success: true, errors: [], messages: [], result: value },
});
const error = (status: number, code: number) => ({
  status,
  body: { success: false, errors: [{ code, message: 'x' }], messages: [], result: null },
});

test('asks with the token, and reads what it was asked for', async () => {
  answer = result({ deployments: [{ versions: [{ version_id: 'v1', percentage: 100 }] }] });
  expect(await api().deployed('office')).toEqual([{ version_id: 'v1', percentage: 100 }]);
  expect(asked).toEqual({
    url: '/accounts/acc/workers/scripts/office/deployments',
    authorization: 'Bearer secret-token',
  });
});

test('no Worker is an answer', async () => {
  answer = error(404, 10007);
  expect(await api().worker('office')).toBeUndefined();
  expect(await api().newestVersions('office')).toEqual([]);
  expect(await api().deployed('office')).toEqual([]);
});

test.each([
  ['a bad token', error(401, 10001), 'forbidden'],
  ['no right', error(403, 10000), 'forbidden'],
  ['a token that is none', error(400, 6003), 'forbidden'],
  ['too much', error(429, 971), 'throttled'],
  ['their failure', error(503, 10013), 'unreachable'],
  ['another place', { status: 302, body: '', location: '/elsewhere' }, 'unreachable'],
])('%s', async (_, given, problem) => {
  answer = given;
  const failed = await api()
    .worker('office')
    .catch((thrown: unknown) => thrown);
  expect(failed).toMatchObject({ code: 'UNREACHABLE', problem });
  expect(String(failed)).not.toContain('secret-token');
});

test.each([
  ['a wrong account', error(404, 7003)],
  ['a page', { status: 200, body: '<html>' }],
  ['another shape', result({ name: 1 })],
])('%s is none of the three', async (_, given) => {
  answer = given;
  await expect(api().worker('office')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
});

test('who asks comes from the environment, as wrangler has it', () => {
  const environment = { CLOUDFLARE_API_TOKEN: 't', CLOUDFLARE_ACCOUNT_ID: 'a1' };
  expect(apiAccess(environment)).toEqual({
    account: 'a1',
    token: 't',
    baseUrl: 'https://api.cloudflare.com/client/v4',
  });
  expect(apiAccess({ CLOUDFLARE_API_TOKEN: 't' }, 'a2').account).toBe('a2');
  for (const wrong of [
    {},
    { CLOUDFLARE_API_TOKEN: 't' },
    { ...environment, CLOUDFLARE_ACCOUNT_ID: '../x' },
  ]) {
    expect(() => apiAccess(wrong)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  }
});
