import { Buffer } from 'node:buffer';
import { lambdaOrigin } from '../../proto/lock/lambda-address.ts';
import { nodeCrypto, nodeSigningKey, nodeVerifyingKey } from '../../proto/signature/node.ts';
import { unsignedResponse } from './answer.ts';
import type { Beside } from './context.ts';
import { createFetch } from './define.ts';
import { lambdaEvent } from './lambda-event.ts';
import { maxLambdaAnswerBytes } from './limits.ts';
import type { Plugin } from './plugin.ts';
import { readSsmParameter } from './ssm-parameter.ts';

/** The part of Lambda's context that the kit uses. */
export interface LambdaContext {
  readonly functionName: string;
  /** The version that was published, `$LATEST` for none. */
  readonly functionVersion: string;
  getRemainingTimeInMillis(): number;
}

/** An answer of API Gateway's payload format 2.0. */
export interface LambdaAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  /** base64. */
  readonly body: string;
  readonly isBase64Encoded: true;
}

export type LambdaHandler = (event: unknown, context: LambdaContext) => Promise<LambdaAnswer>;

type Environment = Readonly<Record<string, string | undefined>>;

/** For signing and for the way out of the runtime, before Lambda ends the invocation. */
const marginMs = 250;

/**
 * Makes the handler of a plugin on AWS Lambda. The build does it: what it bundles ends in
 * `export const handler = await serveLambda(plugin)`.
 *
 * Settings come from the environment: PLUGIN_FUNCTION, PLUGIN_CALLERS and PLUGIN_KEY_PARAMETER, the name of the
 * SecureString in Parameter Store that holds the function's key; it is read once, at init. PLUGIN_KEY is not read:
 * whoever may read a function's configuration reads its variables. A call's address is made of the function's name
 * and version in Lambda's own context, so a signature for one version fits no other.
 *
 * @throws PluginError CONFIG_INVALID when the key cannot be read; then the init fails, and Lambda tries it again
 */
export async function serveLambda<Env>(
  plugin: Plugin<Env>,
  environment: Environment = process.env,
): Promise<LambdaHandler> {
  const { PLUGIN_KEY: _, PLUGIN_URL: __, ...rest } = environment;
  const parameter = environment['PLUGIN_KEY_PARAMETER'];
  const key = parameter ? { PLUGIN_KEY: await readSsmParameter(parameter, environment) } : {};
  const env = { ...rest, ...key } as Env;
  const fetch = createFetch(plugin.definition, {
    crypto: nodeCrypto,
    signingKey: nodeSigningKey,
    verifyingKey: nodeVerifyingKey,
    maxAnswerBytes: maxLambdaAnswerBytes,
  });
  return async (event, context) => {
    const request = lambdaEvent(event, lambdaOrigin(context.functionName, context.functionVersion));
    if (request === undefined) {
      return await toLambda(unsignedResponse(400, 'invalid_argument', 'not an event of payload format 2.0'));
    }
    const deadlineMs = Date.now() + context.getRemainingTimeInMillis() - marginMs;
    const background: Background[] = [];
    const waitUntil = (work: Promise<unknown>, beside?: Beside) => void background.push({ ...beside, work });
    const answer = await toLambda(await fetch(request, env, { waitUntil, deadlineMs }));
    await settled(background, deadlineMs);
    return answer;
  };
}

/** Work beside an answer. */
interface Background extends Beside {
  readonly work: Promise<unknown>;
}

/** Lambda freezes the process once it has the answer: what was left to do is done before, as far as it may take time. */
async function settled(background: readonly Background[], deadlineMs: number): Promise<void> {
  const leftMs = Math.max(0, deadlineMs - Date.now());
  await Promise.all(
    background.map(({ work, atMostMs = leftMs }) => doneWithin(work, Math.min(atMostMs, leftMs))),
  );
}

async function doneWithin(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, expiry]);
  clearTimeout(timer);
}

async function toLambda(response: Response): Promise<LambdaAnswer> {
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: Buffer.from(await response.arrayBuffer()).toString('base64'),
    isBase64Encoded: true,
  };
}
