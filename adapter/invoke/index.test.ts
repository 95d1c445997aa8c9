import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import type { AnswerMessage, RequestMessage } from '../../proto/signature/message.ts';
import {
  type FunctionServer,
  newKeys,
  type Reaction,
  sourceBuildId,
  startFunction,
  withHeader,
} from '../../test/support/function-server.ts';
import { callOf, connectionTo, recordingLog } from '../../test/support/invoke.ts';
import { newKey } from '../../test/support/keys.ts';
import { hostError } from '../role/host-error.ts';
import type { Call, Handler, Trace } from '../shapes.ts';
import { createInvoke } from './index.ts';
import { probe } from './probe.ts';

const { checkIP, reload } = IPFilter.method;
const keys = newKeys();
let served: FunctionServer;

beforeAll(async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
  served = await startFunction(keys);
});
afterEach(() => {
  served.intercept = undefined;
});
afterAll(async () => await served.close());

function ask(ip: string, trace?: Trace): Call {
  return callOf(checkIP, { ip, protocol: 'SSH' }, trace ? { trace } : {});
}

function invoke(options: Parameters<typeof connectionTo>[2] = {}): Handler {
  return createInvoke(connectionTo(served.url, keys, options));
}

test('an allowed address: an empty message, with the verified facts', async () => {
  const trace: Trace = {};
  const reply = await invoke()(ask('198.51.100.7', trace));
  expect(reply.output.$typeName).toBe('google.protobuf.Empty');
  expect(reply.facts).toEqual({
    evidence: 'claimed',
    version: sourceBuildId,
    keyid: expect.stringMatching(/^[\w-]{43}$/),
    freshMs: 300_000,
    scope: '198.51.100.7/32;protocols="SSH"',
  });
  expect(trace.facts).toEqual(reply.facts);
  for (const part of [trace.signMs, trace.networkMs, trace.functionMs, trace.verifyMs]) {
    expect(part).toBeGreaterThanOrEqual(0);
  }
});

test('a denied address: DENIED with the reason, and the host gets PERMISSION_DENIED without it', async () => {
  const denied = await invoke()(ask('192.0.2.66')).catch((error: unknown) => error);
  expect(denied).toMatchObject({ code: 'DENIED', connect: 'permission_denied', facts: { reason: 'banned' } });
  expect(hostError(denied, 'c0ffee')).toEqual({
    grpcCode: 7,
    message: 'denied by the function (DENIED, call c0ffee)',
  });
});

test('Reload reaches the function', async () => {
  const { output } = await invoke()(callOf(reload, {}));
  expect(output.$typeName).toBe('google.protobuf.Empty');
  expect(served.requests.at(-1)?.url).toBe(`${served.url}/proto.IPFilter/Reload`);
});

test('what the author throws stays at the edge: FUNCTION_ERROR with a fixed text', async () => {
  const error = await invoke()(ask('192.0.2.99')).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'FUNCTION_ERROR', connect: 'internal' });
  expect(JSON.stringify([Object(error).message, Object(error).functionText])).not.toContain('secret');
  expect(hostError(error, 'c0ffee').grpcCode).toBe(13);
});

test('a build that is not in the lock is DRIFT, although its answer is signed', async () => {
  await expect(invoke({ version: 'f'.repeat(64) })(ask('198.51.100.7'))).rejects.toMatchObject({
    code: 'DRIFT',
    happened: `office@live runs build ${sourceBuildId}`,
    expected: `a build of the lock: ${'f'.repeat(64)}`,
  });
});

test('integrity.require above what the target proves is DRIFT', async () => {
  await expect(invoke({ require: 'observed' })(ask('198.51.100.7'))).rejects.toMatchObject({
    code: 'DRIFT',
    expected: 'observed (integrity.require)',
  });
});

test('a probe reads the signed build without running anything', async () => {
  const before = served.requests.length;
  const probed = await probe(connectionTo(served.url, keys), 'proto.IPFilter', new AbortController().signal);
  expect(probed).toEqual({ build: sourceBuildId });
  expect(served.requests.slice(before).map(({ url }) => url)).toEqual([`${served.url}/proto.IPFilter/Probe`]);
});

type Tamper = (request: RequestMessage, honest: () => Promise<AnswerMessage>) => Reaction | Promise<Reaction>;

const page: AnswerMessage = {
  status: 502,
  headers: [['content-type', 'text/html']],
  body: Buffer.from('<h1>Bad Gateway</h1>'),
};

const refused: readonly (readonly [name: string, code: string, tamper: Tamper])[] = [
  ['a 502 page of a proxy', 'ANSWER_UNSIGNED', () => page],
  ['an unsigned 200', 'ANSWER_UNSIGNED', () => ({ ...page, status: 200, body: Buffer.from('{}') })],
  [
    'an unsigned permission_denied',
    'ANSWER_UNSIGNED',
    () => ({ ...page, status: 403, body: Buffer.from('{"code":"permission_denied"}') }),
  ],
  [
    'an honest answer without its signature',
    'ANSWER_UNSIGNED',
    async (_, honest) => {
      const answer = await honest();
      return { ...answer, headers: answer.headers.filter(([name]) => !name.startsWith('signature')) };
    },
  ],
  [
    'one byte of the body altered',
    'ANSWER_REFUSED',
    async (_, honest) => ({ ...(await honest()), body: Buffer.from('{ ') }),
  ],
  [
    'a denial made an allow by its status',
    'ANSWER_REFUSED',
    async (request) => ({ ...(await served.sign(request, { status: 403 })), status: 200 }),
  ],
  [
    "another function's key",
    'ANSWER_REFUSED',
    async (request) => await served.sign(request, {}, { key: newKey() }),
  ],
  [
    'the key of the adapter itself',
    'ANSWER_REFUSED',
    async (request) => await served.sign(request, {}, { key: keys.adapterKey }),
  ],
  [
    'a longer lifetime written in',
    'ANSWER_REFUSED',
    async (_, honest) => withHeader(await honest(), 'plugin-cache', 'max-age=999999'),
  ],
  [
    'a header of ours added',
    'ANSWER_REFUSED',
    async (_, honest) => withHeader(await honest(), 'plugin-grant', 'replace'),
  ],
  [
    'content-encoding gzip',
    'ANSWER_REFUSED',
    async (_, honest) => withHeader(await honest(), 'content-encoding', 'gzip'),
  ],
  [
    'a body that is no JSON, signed',
    'ANSWER_INVALID',
    async (request) => await served.sign(request, { body: '{' }),
  ],
  [
    'a body with a byte order mark, signed',
    'ANSWER_INVALID',
    async (request) => await served.sign(request, { body: '\uFEFF{}' }),
  ],
  [
    'a body that is not UTF-8, signed',
    'ANSWER_INVALID',
    async (request) => await served.sign(request, { body: Buffer.from('{"more":"\xff"}', 'latin1') }),
  ],
  ['an empty body, signed', 'ANSWER_INVALID', async (request) => await served.sign(request, { body: '' })],
  [
    'another content type, signed',
    'ANSWER_INVALID',
    async (request) => await served.sign(request, { headers: { 'content-type': 'text/plain' } }),
  ],
  [
    'a signed error without a code',
    'ANSWER_INVALID',
    async (request) => await served.sign(request, { status: 500, body: '{"message":"?"}' }),
  ],
  [
    'a signed answer without a build id',
    'DRIFT',
    async (request) => await served.sign(request, { headers: { 'plugin-version': '' } }),
  ],
];

test.each(refused)('%s: %s', async (_name, code, tamper) => {
  served.intercept = tamper;
  await expect(invoke()(ask('198.51.100.7'))).rejects.toMatchObject({ code });
});

test('an old answer to a new request, and answers swapped between two requests, are refused', async () => {
  const answers: AnswerMessage[] = [];
  served.intercept = async (_, honest) => {
    answers.push(await honest());
    return answers[0] ?? 'reset';
  };
  const call = invoke();
  await call(ask('198.51.100.7'));
  await expect(call(ask('198.51.100.7'))).rejects.toMatchObject({ code: 'ANSWER_REFUSED' });

  const waiting: ((answer: AnswerMessage) => void)[] = [];
  const swapped: AnswerMessage[] = [];
  served.intercept = async (_, honest) => {
    swapped.push(await honest());
    return await new Promise<AnswerMessage>((resolve) => {
      waiting.push(resolve);
      const [first, second] = swapped;
      if (first && second) for (const [index, answer] of [second, first].entries()) waiting[index]?.(answer);
    });
  };
  const outcomes = await Promise.allSettled([call(ask('192.0.2.66')), call(ask('198.51.100.7'))]);
  expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.code)).toEqual([
    'ANSWER_REFUSED',
    'ANSWER_REFUSED',
  ]);
});

test('an unsigned 401 is "not reached", and the log names the remedy', async () => {
  const log = recordingLog();
  const stranger = { ...keys, adapterKey: newKey() };
  const call = createInvoke(connectionTo(served.url, stranger, { log }));
  await expect(call(ask('192.0.2.66'))).rejects.toMatchObject({ code: 'UNREACHABLE' });
  expect(log.lines).toEqual([{ level: 'warn', text: expect.stringContaining('PLUGIN_CALLERS') }]);
});

test('an unsigned 429 is marked as a limit of the platform: a flood opens nothing', async () => {
  served.intercept = async () => ({ status: 429, headers: [], body: new Uint8Array() });
  await expect(invoke()(ask('192.0.2.66'))).rejects.toMatchObject({
    code: 'ANSWER_UNSIGNED',
    throttled: true,
  });
});

test('a function called under another name refuses, so a captured call goes nowhere else', async () => {
  const connection = { ...connectionTo(served.url, keys), functionName: 'office@beta' };
  await expect(createInvoke(connection)(ask('198.51.100.7'))).rejects.toMatchObject({ code: 'UNREACHABLE' });
});

test('a signed permission_denied on an RPC without verdicts is a failure, not a decision', async () => {
  served.intercept = async (request) =>
    await served.sign(request, { status: 403, body: '{"code":"permission_denied","message":"no"}' });
  const error = await invoke()(callOf(reload, {})).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'FUNCTION_ERROR', connect: 'permission_denied' });
});

test("the function's own text and reason are kept to printable ASCII and 200 characters", async () => {
  const body = JSON.stringify({ code: 'internal', message: `\u001b[31m${'x'.repeat(300)}` });
  served.intercept = async (request) =>
    await served.sign(request, { status: 500, body, headers: { 'plugin-reason': 'y'.repeat(300) } });
  const error = await invoke()(ask('198.51.100.7')).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    functionText: `?[31m${'x'.repeat(195)}`,
    facts: { reason: 'y'.repeat(200) },
  });
});

test('a function that writes nonsense as its own time costs nothing but that time', async () => {
  served.intercept = async (request) => await served.sign(request, { headers: { 'plugin-elapsed': 'soon' } });
  const trace: Trace = {};
  await invoke()(ask('198.51.100.7', trace));
  expect(trace.functionMs).toBe(0);
  expect(trace.networkMs).toBeGreaterThan(0);
});
