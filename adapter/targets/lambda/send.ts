import { PluginError } from '../../../proto/error.ts';
import type { HttpAnswer, HttpMessage } from '../../shapes.ts';
import { maxAnswerBytes, UnreachableError } from '../https/send.ts';
import type { Lambda } from './client.ts';
import { fromAnswer, toEvent } from './event.ts';
import { functionFailure, invokeFailure } from './failure.ts';

/** Around the body of an answer: base64's third, headers. AWS's own limit is 6,291,556 bytes for all of it. */
const maxPayloadBytes = Math.ceil(maxAnswerBytes * 1.4);

/** Which function, and which version of it. */
export interface LambdaVersion {
  /** ARN without version. */
  readonly arn: string;
  /** For messages: `name@stage`. */
  readonly functionName: string;
  readonly version: string;
}

/**
 * Invokes exactly this version and waits for its answer, whose `executed` is what AWS says it ran.
 *
 * Throws OVERLOADED, UNREACHABLE, DRIFT, ANSWER_UNSIGNED, and DEADLINE when `signal` aborts.
 */
export async function invokeVersion(
  { client, sdk }: Lambda,
  { arn, functionName, version }: LambdaVersion,
  message: HttpMessage,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const payload = toEvent(message);
  const command = new sdk.InvokeCommand({
    FunctionName: arn,
    Qualifier: version,
    InvocationType: 'RequestResponse',
    Payload: payload,
  });
  const output = await client.send(command, { abortSignal: signal }).catch((error: unknown) => {
    if (signal.aborted) {
      throw new PluginError('DEADLINE', {
        happened: `version ${version} of ${functionName} did not answer in time`,
        expected: 'an answer within the deadline',
        remedy: 'Look for a slow function or a cold start, or raise the timeout of the section.',
        cause: error,
      });
    }
    throw invokeFailure(error, functionName, version);
  });
  const answer = output.Payload ?? new Uint8Array();
  if (output.FunctionError !== undefined) throw functionFailure(answer, functionName, version);
  if (answer.byteLength > maxPayloadBytes) {
    throw new UnreachableError(`an answer is longer than ${maxAnswerBytes} bytes`, false, undefined);
  }
  return fromAnswer(answer, output.ExecutedVersion ?? '');
}
