import { afterEach, expect, test, vi } from 'vitest';
import type { RequestMessage } from '../../proto/signature/message.ts';
import { nodeCrypto, nodeSigningKey, nodeVerifyingKey } from '../../proto/signature/node.ts';
import { keyRing } from '../../proto/signature/port.ts';
import { signAnswer } from '../../proto/signature/sign-answer.ts';
import { verifyRequest } from '../../proto/signature/verify-request.ts';
import { newKey, publicOf } from '../../test/support/keys.ts';
import type { Context } from './context.ts';
import { createLog } from './log.ts';
import { reportOffender } from './report.ts';

const [own, office] = [newKey(), newKey()];
const settings = {
  PLUGIN_KEY: JSON.stringify(own),
  PLUGIN_REPORT_TO: JSON.stringify({
    function: 'office@live',
    address: 'https://office.example/filter/',
    keys: [publicOf(office)],
  }),
};
const offence = { ip: '203.0.113.7', protocol: 'SSH', reason: 'wrong password' };

afterEach(() => vi.restoreAllMocks());

function contextWith(env: object): Context {
  return {
    env,
    id: '0123456789abcdef0123456789abcdef',
    signal: AbortSignal.timeout(1000),
    deadlineMs: Date.now() + 1000,
    waitUntil: () => undefined,
    log: createLog({}),
  };
}

/** The network: every request goes to `answer`. */
function answering(answer: (request: RequestMessage) => Response | Promise<Response>) {
  const requests: RequestMessage[] = [];
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    const body = new Uint8Array(await request.arrayBuffer());
    const message = { method: request.method, url: request.url, headers: [...request.headers], body };
    requests.push(message);
    return await answer(message);
  });
  return requests;
}

async function signed(request: RequestMessage, body: object, status = 200, key = office): Promise<Response> {
  const message = {
    status,
    headers: [['content-type', 'application/json']] as [string, string][],
    body: new TextEncoder().encode(JSON.stringify(body)),
  };
  const signing = { request, key: nodeSigningKey(key), crypto: nodeCrypto, nowS: Date.now() / 1000 };
  return new Response(message.body, {
    status,
    headers: (await signAnswer(message, signing)).map(([k, v]) => [k, v]),
  });
}

test('a report is a call signed with this function’s key, with the id of the call that failed', async () => {
  const untilMs = 1_800_000_000_000;
  const requests = answering((r) => signed(r, { network: '203.0.113.7/32', untilMs: String(untilMs) }));
  expect(await reportOffender(contextWith(settings), offence)).toEqual({
    network: '203.0.113.7/32',
    count: 0,
    bannedUntil: new Date(untilMs),
  });
  const [request] = requests;
  expect(request?.url).toBe('https://office.example/filter/sftpgo.Bans/Report');
  expect(JSON.parse(new TextDecoder().decode(request?.body))).toEqual(offence);
  const options = { crypto: nodeCrypto, nowS: Date.now() / 1000, nonces: { add: () => true } };
  const keys = keyRing([nodeVerifyingKey(publicOf(own))]);
  await verifyRequest(request ?? { method: '', url: '', headers: [], body: new Uint8Array() }, {
    ...options,
    keys,
    functionName: 'office@live',
  });
  expect(new Map(request?.headers).get('plugin-call-id')).toBe('0123456789abcdef0123456789abcdef');
});

test.each<[string, (request: RequestMessage) => Response | Promise<Response>, string]>([
  ['no signature', () => Response.json({}), 'ANSWER_UNSIGNED'],
  ['a 401 without one', () => Response.json({}, { status: 401 }), 'ANSWER_UNSIGNED'],
  ['the signature of another key', (r) => signed(r, {}, 200, newKey()), 'ANSWER_REFUSED'],
  ['the answer to another request', (r) => signed({ ...r, url: `${r.url}/` }, {}), 'ANSWER_REFUSED'],
  ['a signed refusal', (r) => signed(r, { code: 'permission_denied', message: 'no' }, 403), 'FUNCTION_ERROR'],
  ['no connection', () => Promise.reject(new TypeError('no')), 'UNREACHABLE'],
])('%s: the report is not taken for done', async (_, answer, code) => {
  answering(answer);
  await expect(reportOffender(contextWith(settings), offence)).rejects.toMatchObject({ code });
});

test.each<[string, Record<string, unknown>, string]>([
  ['no setting', { PLUGIN_REPORT_TO: undefined }, 'PLUGIN_REPORT_TO names no function'],
  ['no JSON', { PLUGIN_REPORT_TO: 'office' }, 'PLUGIN_REPORT_TO is not JSON'],
  ['plain http', { PLUGIN_REPORT_TO: settings.PLUGIN_REPORT_TO.replace('https', 'http') }, 'the address in'],
  ['no keys', { PLUGIN_REPORT_TO: '{"function":"a@b","address":"https://a.example"}' }, 'has no keys'],
  ['half of a key', { PLUGIN_KEY: settings.PLUGIN_KEY.slice(0, -5) }, 'PLUGIN_KEY is not JSON'],
])('%s: nothing is sent', async (_, change, text) => {
  const requests = answering((r) => signed(r, {}));
  const report = reportOffender(contextWith({ ...settings, ...change }), offence);
  await expect(report).rejects.toMatchObject({ happened: expect.stringContaining(text) });
  expect(requests).toEqual([]);
});
