import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import type { HttpAnswer, HttpMessage } from '../../adapter/shapes.ts';
import { httpsTarget } from '../../adapter/targets/https/index.ts';
import type { Lambda } from '../../adapter/targets/lambda/client.ts';
import { invokeVersion } from '../../adapter/targets/lambda/send.ts';
import { areHarmless, type Changes, changed, changes } from './answers/changes.ts';
import { address, asker, type Ending, honest, used, type Verdict } from './answers/honest.ts';
import { bytesOf, payloadChanges, payloadOf, saysTheSame } from './answers/lambda-payload.ts';
import { type Framing, startRawServer, written } from './answers/raw-server.ts';
import { damaged, edits } from './damage.ts';
import { type Count, fuzz, limitMs, same } from './runs.ts';

const refusals = ['ANSWER_REFUSED', 'ANSWER_UNSIGNED', 'UNREACHABLE'];

/** The honest answers to the question at hand and to the one before it, as they left the function. */
let sent: HttpAnswer = { status: 0, headers: [], body: new Uint8Array() };
let before = sent;

/** What the function sends, and what arrives in its place. */
async function arriving(request: HttpMessage, verdict: Verdict, made: Changes): Promise<HttpAnswer> {
  before = sent;
  sent = await honest(request, verdict);
  const start =
    made.instead === 'before'
      ? before
      : made.instead === 'stranger'
        ? await honest(request, verdict, 'stranger')
        : sent;
  return changed(start, made);
}

/** Refused, or used as the function sent it: nothing of what was changed is seen. */
function judge(ending: Ending, verdict: Verdict, count: Count, also: readonly string[] = []): void {
  if (typeof ending.said === 'string') {
    const { found, honest } = used(ending, verdict, sent);
    same(found, honest);
    count(ending.said);
    return;
  }
  expect([...refusals, ...also]).toContain(ending.said.refused);
  count(ending.said.refused);
}

/** The same of an answer that came as Lambda's payload: each letter of it has one meaning. */
function judgePayload(ending: Ending, verdict: Verdict, count: Count): void {
  // a header's value is taken as it is there, spaces and all, where HTTP would have trimmed it
  judge(ending, verdict, count, ['ANSWER_INVALID']);
  if (typeof ending.said === 'string') same(saysTheSame(lastPayload, sent), true);
}

const verdict = fc.constantFrom<Verdict>('allow', 'deny');
const framing = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Framing>('length') },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Framing>(
      'chunks',
      'close',
      'continue first',
      'two lengths',
      'both',
      'and another',
    ),
  },
);
const failed = fc.oneof(
  { weight: 20, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constantFrom({ FunctionError: 'Unhandled' }, { FunctionError: '' }) },
);
const none: Changes = { headers: [], status: undefined, body: [], instead: undefined };

/** The bytes that come back over a connection. */
let bytesFor: (request: HttpMessage) => Promise<Uint8Array>;
const server = await startRawServer((request) => bytesFor(request));
const overHttp = httpsTarget(`http://127.0.0.1:${server.port}`);
const askOverHttp = asker(overHttp);
afterAll(async () => {
  await overHttp.close();
  await server.close();
});

/** What Lambda gives for an invocation. */
let payloadFor: (request: HttpMessage) => Promise<{ Payload: Uint8Array; FunctionError?: string }>;
let lastPayload: Uint8Array = new Uint8Array();
const askOverLambda = asker({
  origin: () => address,
  async send(message, version, signal) {
    const output = await payloadFor(message);
    lastPayload = output.Payload;
    const send = async () => ({ ExecutedVersion: version, ...output });
    const lambda = { client: { send }, sdk: { InvokeCommand: class {} } } as unknown as Lambda;
    return await invokeVersion(lambda, { arn: 'arn', functionName: 'office@live', version }, message, signal);
  },
  close: async () => undefined,
});

test.each(['allow', 'deny'] as const)(
  'the honest "%s" arrives as it was sent, however it is framed',
  async (verdict) => {
    const endings: string[] = [];
    const keep = (ending: string) => endings.push(ending);
    for (const framing of ['length', 'chunks', 'close', 'continue first'] as const) {
      bytesFor = async (request) => written(await arriving(request, verdict, none), framing);
      judge(await askOverHttp(), verdict, keep);
    }
    payloadFor = async (request) => ({
      Payload: Buffer.from(JSON.stringify(payloadOf(await arriving(request, verdict, none)))),
    });
    judge(await askOverLambda(), verdict, keep);
    expect(endings).toEqual(Array(5).fill(verdict === 'allow' ? 'allowed' : 'denied'));
  },
);

/** How an answer comes: over a connection, or as Lambda's payload, which may be damaged as such too. */
const way = fc.oneof(
  framing.map((framing) => ({ by: 'http' as const, framing })),
  fc.record({ by: fc.constant('lambda' as const), payload: payloadChanges, failed }),
);

test(
  'no answer that was changed on the way is used',
  fuzz(
    fc.record({ verdict, made: changes, way }),
    async ({ verdict, made, way }, count) => {
      const countBy = (ending: string) => count(`${way.by}: ${ending}`);
      if (way.by === 'http') {
        bytesFor = async (request) => written(await arriving(request, verdict, made), way.framing);
        judge(await askOverHttp(), verdict, countBy);
        return;
      }
      payloadFor = async (request) => ({
        Payload: way.payload(payloadOf(await arriving(request, verdict, made))),
        ...way.failed,
      });
      const ending = await askOverLambda();
      if ('FunctionError' in way.failed) expect(ending.said).toHaveProperty('refused');
      judgePayload(ending, verdict, countBy);
      const isHarmless = areHarmless(made) && way.payload === bytesOf && !('FunctionError' in way.failed);
      if (isHarmless) same(ending.said, verdict === 'allow' ? 'allowed' : 'denied');
    },
    {
      ...{ 'http: allowed': 0.03, 'http: denied': 0.03, 'http: ANSWER_REFUSED': 0.1 },
      ...{ 'lambda: allowed': 0.03, 'lambda: denied': 0.03, 'lambda: ANSWER_REFUSED': 0.1 },
      ...{ 'http: ANSWER_UNSIGNED': 0.001, 'lambda: ANSWER_UNSIGNED': 0.03 },
    },
  ),
  limitMs,
);

test(
  'bytes of an answer that were damaged are refused, or read the same',
  fuzz(
    fc.record({ verdict, by: fc.constantFrom('http', 'lambda'), framing, edits }),
    async ({ verdict, by, framing, edits }, count) => {
      const countBy = (ending: string) => count(`${by}: ${ending}`);
      if (by === 'http') {
        bytesFor = async (request) =>
          damaged(written(await arriving(request, verdict, none), framing), edits);
        judge(await askOverHttp(), verdict, countBy);
        return;
      }
      payloadFor = async (request) => {
        const payload = payloadOf(await arriving(request, verdict, none));
        return { Payload: damaged(Buffer.from(JSON.stringify(payload)), edits) };
      };
      judgePayload(await askOverLambda(), verdict, countBy);
    },
    {
      ...{ 'http: allowed': 0.001, 'http: denied': 0.001, 'http: ANSWER_REFUSED': 0.1 },
      ...{ 'lambda: allowed': 0.0005, 'lambda: denied': 0.0005, 'lambda: ANSWER_REFUSED': 0.05 },
      ...{ 'http: UNREACHABLE': 0.05, 'lambda: ANSWER_UNSIGNED': 0.05 },
    },
  ),
  limitMs,
);
