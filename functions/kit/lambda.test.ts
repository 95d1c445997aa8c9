import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { lambdaOrigin } from '../../proto/lock/lambda-address.ts';
import type { RequestMessage } from '../../proto/signature/message.ts';
import { type Asked, createCaller } from './fixtures/caller.ts';
import { allow, deny, ipfilter } from './index.ts';
import { type LambdaAnswer, type LambdaHandler, serveLambda } from './lambda.ts';

const caller = createCaller();
const { PLUGIN_FUNCTION, PLUGIN_CALLERS, PLUGIN_KEY } = caller.env;
const origin = lambdaOrigin('office', '7');
const context = { functionName: 'office', functionVersion: '7', getRemainingTimeInMillis: () => 3000 };

/** SSM: what it was asked, and what it answers with. */
const asked: { headers: IncomingMessage['headers']; body: string }[] = [];
let answers: ((outgoing: ServerResponse) => void)[] = [];
const parameter = (outgoing: ServerResponse) =>
  outgoing.end(JSON.stringify({ Parameter: { Value: PLUGIN_KEY } }));
const failure = (status: number, type: string) => (outgoing: ServerResponse) =>
  void outgoing.writeHead(status).end(JSON.stringify({ __type: `com.amazonaws.ssm#${type}`, message: 'no' }));

const ssm = createServer(async (incoming, outgoing) => {
  let body = '';
  for await (const chunk of incoming) body += chunk;
  asked.push({ headers: incoming.headers, body });
  (answers.shift() ?? parameter)(outgoing);
});
let env: Record<string, string>;

beforeAll(async () => {
  await once(ssm.listen(0, '127.0.0.1'), 'listening');
  env = {
    PLUGIN_FUNCTION,
    PLUGIN_CALLERS,
    PLUGIN_KEY_PARAMETER: '/plugins/office',
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'a secret of the role',
    AWS_SESSION_TOKEN: 'a token of the role',
    AWS_ENDPOINT_URL_SSM: `http://127.0.0.1:${(ssm.address() as AddressInfo).port}`,
  };
});
afterAll(() => ssm.close());
afterEach(() => {
  asked.length = 0;
  answers = [];
  vi.restoreAllMocks();
});

const plugin = ipfilter<Record<string, string>>({
  async checkIP({ ip }, { env: settings, deadlineMs, waitUntil, signal }) {
    if (ip === '192.0.2.1') return deny(`until ${deadlineMs - Date.now() > 3000 ? 'later' : 'soon'}`);
    if (ip === '192.0.2.2') waitUntil(new Promise((resolve) => setTimeout(resolve, 20)).then(() => done()));
    if (ip === '192.0.2.4') waitUntil(new Promise(() => undefined), { atMostMs: 20 });
    if (ip === '192.0.2.3') await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return settings['OPEN'] === 'no' ? deny('closed') : allow();
  },
});
const done = vi.fn();

/** A signed call as an event, as the adapter sends it. */
function eventOf({ url, headers, body }: RequestMessage): Record<string, unknown> {
  return {
    version: '2.0',
    rawPath: new URL(url).pathname,
    rawQueryString: '',
    headers: Object.fromEntries(headers),
    requestContext: { http: { method: 'POST' } },
    body: Buffer.from(body).toString('base64'),
    isBase64Encoded: true,
  };
}

async function call(handler: LambdaHandler, options: Asked = {}, change: Record<string, unknown> = {}) {
  const request = await caller.sign({ origin, body: { ip: '203.0.113.7', protocol: 'SSH' }, ...options });
  const answer = await handler({ ...eventOf(request), ...change }, context);
  return { request, answer, ...(await verified(request, answer)) };
}

/** The code of a signed answer, or `unsigned`. */
async function verified(request: RequestMessage, answer: LambdaAnswer) {
  const body = Buffer.from(answer.body, 'base64');
  const message = { status: answer.statusCode, headers: Object.entries(answer.headers), body };
  const plugin = await caller.verify(request, message).then(
    (good) => good.plugin,
    () => undefined,
  );
  return { plugin, said: plugin === undefined ? 'unsigned' : (JSON.parse(body.toString()).code ?? 'ok') };
}

test('answers a signed call with what its key from Parameter Store signs', async () => {
  const handler = await serveLambda(plugin, env);
  const allowed = await call(handler);
  expect([allowed.said, allowed.answer.statusCode, allowed.answer.isBase64Encoded]).toEqual([
    'ok',
    200,
    true,
  ]);
  const denied = await call(handler, { body: { ip: '192.0.2.1', protocol: 'SSH' } });
  expect([denied.said, denied.answer.statusCode]).toEqual(['permission_denied', 403]);
  expect(asked).toHaveLength(1);
  expect(JSON.parse(asked[0]?.body ?? '')).toEqual({ Name: '/plugins/office', WithDecryption: true });
  expect(asked[0]?.headers).toMatchObject({
    'x-amz-target': 'AmazonSSM.GetParameter',
    'x-amz-security-token': 'a token of the role',
    authorization: expect.stringMatching(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/ssm\/aws4_request, /,
    ),
  });
});

test.each([
  ['another function', { functionName: 'other' }],
  ['another version', { functionVersion: '8' }],
  ['$LATEST', { functionVersion: '$LATEST' }],
])('a call that was signed for version 7 of office is refused by %s', async (_, elsewhere) => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const handler = await serveLambda(plugin, env);
  const request = await caller.sign({ origin, body: { ip: '203.0.113.7' } });
  const answer = await handler(eventOf(request), { ...context, ...elsewhere });
  expect([(await verified(request, answer)).said, answer.statusCode]).toEqual(['unsigned', 401]);
});

test('what the payload says of its host changes nothing', async () => {
  const handler = await serveLambda(plugin, { ...env, PLUGIN_URL: 'https://evil.example' });
  const change = {
    requestContext: { http: { method: 'POST' }, domainName: 'evil.example' },
    cookies: ['a=b'],
  };
  expect((await call(handler, {}, change)).said).toBe('ok');
});

test.each<[string, Record<string, unknown>]>([
  ['payload format 1.0', { version: '1.0' }],
  ['another method', { requestContext: { http: { method: 'GET' } } }],
  ['no request context', { requestContext: undefined }],
  ['a query', { rawQueryString: 'a=b' }],
  ['a path with a query', { rawPath: '/proto.IPFilter/CheckIP?a' }],
  ['a path that a URL rewrites', { rawPath: '/proto.IPFilter/../proto.IPFilter/CheckIP' }],
  ['a path that is no text', { rawPath: 7 }],
  ['a body as text', { body: '{}', isBase64Encoded: false }],
  ['a body that is not canonical base64', { body: 'e30' }],
  ['a body with white space', { body: 'e30=\n' }],
  ['a header that is no text', { headers: { 'content-type': ['application/json'] } }],
  ['a header with a line break', { headers: { 'plugin-function': 'a\r\nb' } }],
])('an event with %s is answered 400, unsigned', async (_, change) => {
  const { answer, said } = await call(await serveLambda(plugin, env), {}, change);
  expect([said, answer.statusCode]).toEqual(['unsigned', 400]);
});

test.each([null, 'text', [], 7])('an event that is %j is answered 400', async (event) => {
  expect((await (await serveLambda(plugin, env))(event, context)).statusCode).toBe(400);
});

test('the deadline is the nearer one of the call and of Lambda, and the answer comes before it, signed', async () => {
  const handler = await serveLambda(plugin, env);
  const soon = await call(handler, {
    body: { ip: '192.0.2.1' },
    headers: { 'connect-timeout-ms': '60000' },
  });
  expect(soon.plugin?.get('plugin-reason')).toBe('until soon');
  const short = { ...context, getRemainingTimeInMillis: () => 300 };
  const request = await caller.sign({ origin, body: { ip: '192.0.2.3' } });
  expect((await verified(request, await handler(eventOf(request), short))).said).toBe('deadline_exceeded');
});

test('background work is done before the process freezes', async () => {
  done.mockClear();
  await call(await serveLambda(plugin, env), { body: { ip: '192.0.2.2' } });
  expect(done).toHaveBeenCalledOnce();
});

test('work that may cost no more than some time is left where it is', async () => {
  const handler = await serveLambda(plugin, env);
  const request = await caller.sign({ origin, body: { ip: '192.0.2.4', protocol: 'SSH' } });
  // whoever waits for all of it has no answer before this test is over
  const patient = { ...context, getRemainingTimeInMillis: () => 600_000 };
  expect((await verified(request, await handler(eventOf(request), patient))).said).toBe('ok');
});

test('throttling of SSM is waited out', async () => {
  answers = [failure(400, 'ThrottlingException'), failure(500, 'InternalServerError')];
  expect((await call(await serveLambda(plugin, env))).said).toBe('ok');
  expect(asked).toHaveLength(3);
});

test.each([
  ['ParameterNotFound', 'Create the parameter'],
  ['AccessDeniedException', 'Allow ssm:GetParameter'],
  ['InvalidKeyId', 'Enable the KMS key'],
])('%s ends the init with a remedy and without a secret', async (type, remedy) => {
  answers = [failure(400, type)];
  const error = await serveLambda(plugin, env).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    code: 'CONFIG_INVALID',
    happened: `the parameter /plugins/office cannot be read (${type})`,
    remedy: expect.stringContaining(remedy),
  });
  expect(String(error)).not.toMatch(/secret|token of/);
});

test.each<[string, Record<string, string>, string]>([
  ['no credentials', { AWS_ACCESS_KEY_ID: '' }, 'the environment has no AWS credentials'],
  ['an endpoint in clear text', { AWS_ENDPOINT_URL_SSM: 'http://ssm.example.com' }, 'the endpoint of SSM'],
  ['an endpoint with a path', { AWS_ENDPOINT_URL_SSM: 'https://ssm.example.com/x' }, 'the endpoint of SSM'],
  ['no region', { AWS_REGION: '', AWS_ENDPOINT_URL_SSM: '' }, 'AWS_REGION names no region'],
  ['a region that is a host', { AWS_REGION: 'x.evil.example/', AWS_ENDPOINT_URL_SSM: '' }, 'names no region'],
  ['nobody at the endpoint', { AWS_ENDPOINT_URL_SSM: 'http://127.0.0.1:1' }, 'cannot be read (ECONNREFUSED)'],
])('%s ends the init with a reason', async (_, change, reason) => {
  await expect(serveLambda(plugin, { ...env, ...change })).rejects.toThrow(reason);
  expect(asked).toEqual([]);
});

test('a key in a variable is not used: whoever reads the configuration would have it', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const handler = await serveLambda(plugin, { PLUGIN_FUNCTION, PLUGIN_CALLERS, PLUGIN_KEY });
  const { answer, said } = await call(handler);
  expect([said, answer.statusCode]).toEqual(['unsigned', 503]);
});
