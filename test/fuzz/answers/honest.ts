import { createInvoke } from '../../../adapter/invoke/index.ts';
import {
  AnswerError,
  type Facts,
  type HttpAnswer,
  type HttpMessage,
  type Target,
} from '../../../adapter/shapes.ts';
import { PluginError } from '../../../proto/error.ts';
import { IPFilter } from '../../../proto/gen/sftpgo/ipfilter_pb.ts';
import type { HeaderList } from '../../../proto/signature/message.ts';
import { nodeCrypto, nodeSigningKey } from '../../../proto/signature/node.ts';
import { signAnswer } from '../../../proto/signature/sign-answer.ts';
import { newKeys } from '../../support/function-server.ts';
import { callOf, connectionTo } from '../../support/invoke.ts';
import { newKey } from '../../support/keys.ts';

/** What the function says to the one question of these tests. */
export type Verdict = 'allow' | 'deny';

/** Where the function is, for all that its target says. */
export const address = 'https://office.example.com';

const keys = newKeys();
const functionKey = nodeSigningKey(keys.functionKey);
const strangersKey = nodeSigningKey(newKey());
const utf8 = new TextEncoder();

const answers = {
  allow: { status: 200, body: utf8.encode('{}'), facts: { 'plugin-scope': '203.0.113.0/24' } },
  deny: {
    status: 403,
    body: utf8.encode('{"code":"permission_denied","message":"banned"}'),
    facts: { 'plugin-reason': 'on a list' },
  },
} as const;

/** What the adapter is to make of them. */
const expected: Readonly<Record<Verdict, Omit<Facts, 'keyid' | 'version'>>> = {
  allow: { evidence: 'claimed', freshMs: 60_000, scope: '203.0.113.0/24' },
  deny: { evidence: 'claimed', freshMs: 60_000, reason: 'on a list' },
};

/** The function's answer to a request, as it leaves the function; `by` a stranger's key it is none. */
export async function honest(
  request: HttpMessage,
  verdict: Verdict,
  by: 'function' | 'stranger' = 'function',
): Promise<HttpAnswer> {
  const { status, body, facts } = answers[verdict];
  const headers = Object.entries({
    'content-type': 'application/json',
    'plugin-cache': 'max-age=60',
    'plugin-version': '0'.repeat(64),
    ...facts,
  });
  const key = by === 'function' ? functionKey : strangersKey;
  const options = {
    request: { method: 'POST', ...request },
    key,
    crypto: nodeCrypto,
    nowS: Date.now() / 1000,
  };
  return { status, body, headers: await signAnswer({ status, headers, body }, options) };
}

/** How a call ended, and why if it was refused. */
export interface Ending {
  readonly said: 'allowed' | 'denied' | { readonly refused: string; readonly why: string };
  readonly facts?: Facts;
  /** The function's own text of a denial. */
  readonly text?: string;
  /** The answer as the target gave it. */
  readonly received?: HttpAnswer | undefined;
}

/** Asks the question over a target, as often as it is called. */
export function asker(target: Target): () => Promise<Ending> {
  let received: HttpAnswer | undefined;
  const watched: Target = {
    origin: (pin) => target.origin(pin),
    async send(...sent) {
      received = await target.send(...sent);
      return received;
    },
    close: () => target.close(),
  };
  const invoke = createInvoke(connectionTo(address, keys, { target: watched }));
  return async () => {
    received = undefined;
    try {
      const { facts } = await invoke(callOf(IPFilter.method.checkIP, { ip: '203.0.113.7', protocol: 'SSH' }));
      return { said: 'allowed', ...(facts ? { facts } : {}), received };
    } catch (error) {
      if (error instanceof AnswerError && error.code === 'DENIED') {
        return { said: 'denied', facts: error.facts, text: error.functionText, received };
      }
      if (!(error instanceof PluginError)) throw error;
      return { said: { refused: error.code, why: error.happened } };
    }
  };
}

/**
 * What an ending shows of the answer that was used, and what it would show of the honest one. Of headers only those
 * that count: the others may change on the way.
 */
export function used({ said, facts, text, received }: Ending, verdict: Verdict, sent: HttpAnswer) {
  const counting = (headers: HeaderList = []) =>
    headers
      .filter(([name]) => /^(?:plugin-|content-(?:type|digest|encoding)$|signature(?:-input)?$)/i.test(name))
      .map(([name, value]) => `${name.toLowerCase()}: ${value.trim()}`)
      .sort();
  return {
    found: {
      said,
      facts: { ...facts, keyid: undefined, version: undefined },
      text,
      status: received?.status,
      body: Buffer.from(received?.body ?? []).toString('latin1'),
      headers: counting(received?.headers),
    },
    honest: {
      said: verdict === 'allow' ? 'allowed' : 'denied',
      facts: { ...expected[verdict], keyid: undefined, version: undefined },
      text: verdict === 'allow' ? undefined : 'banned',
      status: sent.status,
      body: Buffer.from(sent.body).toString('latin1'),
      headers: counting(sent.headers),
    },
  };
}
