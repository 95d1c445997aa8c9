import { type Message, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { createInvoke } from '../../adapter/invoke/index.ts';
import { compose } from '../../adapter/policies/compose.ts';
import { hostError } from '../../adapter/role/host-error.ts';
import type { Handler, Target } from '../../adapter/shapes.ts';
import { connectCodes } from '../../proto/codes.ts';
import { PluginError } from '../../proto/error.ts';
import { type PluginType, pluginTypes, traitsOf } from '../../proto/plugin-types.ts';
import { nodeCrypto } from '../../proto/signature/node.ts';
import { signAnswer } from '../../proto/signature/sign-answer.ts';
import { newKeys } from '../support/function-server.ts';
import { connectionTo } from '../support/invoke.ts';
import { type Content, content } from './answers/content.ts';
import { cheapKey, cheapRing } from './rpcs/cheap-keys.ts';
import { types } from './rpcs/rpcs.ts';
import { policiesFor } from './rpcs/sections.ts';
import { fuzz, limitMs, same } from './runs.ts';

const [adapterKey, functionKey] = [cheapKey('adapter'), cheapKey('function')];
const utf8 = new TextEncoder();
/** What the function signs next. */
let next: Content;
let asked = 0;

const target: Target = {
  origin: () => 'https://office.example.com',
  async send(message) {
    const { status, facts, body } = next;
    const headers = Object.entries({
      'content-type': 'application/json',
      'plugin-version': '0'.repeat(64),
      ...facts,
    });
    const answer = { status, headers, body: utf8.encode(body) };
    const request = { method: 'POST', ...message };
    const options = { request, key: functionKey.signing, crypto: nodeCrypto, nowS: Date.now() / 1000 };
    return { ...answer, headers: await signAnswer(answer, options) };
  },
  close: async () => undefined,
};
const connection = {
  ...connectionTo('https://office.example.com', newKeys(), { target }),
  signingKey: adapterKey.signing,
  keys: cheapRing(functionKey),
};
/** The adapter's handler of each type, as `serve` composes it. */
const handlers = new Map<string, Handler>(
  types.map((type) => [type, compose(policiesFor(type), createInvoke(connection))]),
);

/** What the host gets: a message, or a gRPC status with our code. */
async function ended({
  rpc: { type, method, message },
}: Content): Promise<Message | { grpc: number; code: string }> {
  asked += 1;
  const row: PluginType = pluginTypes[type];
  const traits = traitsOf(row, method);
  const { signal } = new AbortController();
  const deadlineMs = performance.now() + 60_000;
  const id = asked.toString(16).padStart(32, '0');
  try {
    const reply = await handlers.get(type)?.({
      method,
      traits,
      input: message(asked),
      id,
      deadlineMs,
      signal,
    });
    if (reply === undefined) throw new Error(`no handler of ${type}`);
    // as the gRPC server does
    toBinary(method.output, reply.output);
    return reply.output;
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    return { grpc: hostError(error, id, traits).grpcCode, code: error.code };
  }
}

/** A body as another reader sees it; undefined: no object. */
function objectIn(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** What an RPC demands of an answer beyond status 200 and an object, where somebody would get in or lose a secret. */
function mayPass({ rpc, facts, body }: Content): boolean {
  const { user = '', payload, key = '', mode = 0, authResult = 0 } = objectIn(body) ?? {};
  const grant = facts['plugin-grant'];
  switch (rpc.method.name) {
    case 'CheckUserAndPass':
    case 'CheckUserAndTLSCert':
    case 'CheckUserAndPublicKey':
    case 'CheckUserAndKeyboardInteractive': {
      if (grant === 'unchanged') return (user ?? '') === '';
      const given = objectIn(Buffer.from(String(user), 'base64').toString()) ?? {};
      // without a ceiling nobody gets another home
      const { username = 'alice', home_dir: home } = given;
      const isUser = Object.keys(given).length > 0 && username === 'alice' && home === undefined;
      return isUser && (grant === 'merge' || grant === 'replace');
    }
    case 'SendKeyboardAuthRequest':
      // at the first step nothing was asked yet
      return Number(authResult) !== 1;
    case 'Encrypt':
      return typeof payload === 'string' && /^(?:[\w+/]{4})+$/.test(payload) && !key && !mode;
    case 'Decrypt':
      return typeof payload === 'string' && payload !== '';
    default:
      return true;
  }
}

test(
  'a signed answer of any content passes only where the contract of its RPC has it, and every other is refused',
  fuzz(
    content,
    async (made, count) => {
      next = made;
      const { type, method } = made.rpc;
      const ending = await ended(made);
      if (!('grpc' in ending)) {
        const found = [made.status, objectIn(made.body) !== undefined, mayPass(made)];
        same(found, [200, true, true]);
        count(`${type}: passed`);
        return;
      }
      const { code } = objectIn(made.body) ?? {};
      expect(['DENIED', 'FUNCTION_ERROR', 'ANSWER_INVALID', 'GRANT_REFUSED']).toContain(ending.code);
      const isVerdict = type === 'auth' || method.name === 'CheckIP';
      const denies = made.status !== 200 && code === 'permission_denied' && isVerdict;
      same(ending.code === 'DENIED', denies);
      if (ending.grpc === connectCodes.not_found.grpc)
        expect([type, code]).toEqual(['metadata', 'not_found']);
      count(`${type}: ${ending.code}`);
    },
    {
      ...Object.fromEntries(
        types.flatMap((type) => [
          [`${type}: passed`, 0.004],
          [`${type}: FUNCTION_ERROR`, 0.003],
        ]),
      ),
      ...{
        'auth: GRANT_REFUSED': 0.01,
        'auth: DENIED': 0.001,
        'ipfilter: DENIED': 0.0002,
        'kms: ANSWER_INVALID': 0.01,
      },
    },
  ),
  limitMs,
);
