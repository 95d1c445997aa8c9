import { PluginError } from '../../../proto/error.ts';
import { ControlPlaneError, type ControlPlaneProblem } from '../control-plane.ts';
import type { Lambda } from './client.ts';
import type { DeployedVersion } from './compare.ts';
import type { LambdaVersion } from './send.ts';

/** Longest look at the control plane, in ms. */
const timeoutMs = 5000;

/**
 * Asks AWS for the configuration of one version, with the SHA-256 of its zip (GetFunctionConfiguration).
 *
 * Throws DRIFT when there is no such version, and UNREACHABLE with one of three messages: the control plane cannot
 * be reached, throttles, or forbids.
 */
export async function deployedVersion(
  { client, sdk }: Lambda,
  { arn, functionName, version }: LambdaVersion,
): Promise<DeployedVersion> {
  const command = new sdk.GetFunctionConfigurationCommand({ FunctionName: arn, Qualifier: version });
  const found = await client
    .send(command, { abortSignal: AbortSignal.timeout(timeoutMs) })
    .catch((error: unknown) => {
      throw controlPlaneFailure(error, functionName, version);
    });
  // an endpoint that ignores the qualifier would show other code than it runs
  if (found.Version !== version) throw noSuchVersion(functionName, version, undefined);
  const hidden = found.Environment?.Error;
  if (hidden !== undefined) {
    // AWS shows no variables then, which must not look like a function without any
    const name = hidden.ErrorCode ?? 'AccessDenied';
    throw failure('forbidden', `Environment: ${safe(name)}`, { functionName, version, cause: undefined });
  }
  return found;
}

const remedies: Readonly<Record<ControlPlaneProblem, string>> = {
  unreachable: 'Check network, DNS and `aws.endpoint`; it is asked again by itself.',
  throttled: 'It is asked again by itself; look for what else calls this API.',
  forbidden:
    "Allow lambda:GetFunctionConfiguration on function:NAME:* to the adapter's role or user (and kms:Decrypt, if a key of yours encrypts the variables), and check its credentials: docs/lambda.md.",
};

function noSuchVersion(functionName: string, version: string, cause: unknown): PluginError {
  return new PluginError('DRIFT', {
    happened: `AWS has no version ${version} of ${functionName}`,
    expected: 'the version in the lock',
    remedy: 'Publish it again and build a new lock with its number, or correct the ARN.',
    cause,
  });
}

function failure(
  problem: ControlPlaneProblem,
  detail: string,
  { functionName, version, cause }: { functionName: string; version: string; cause: unknown },
): ControlPlaneError {
  return new ControlPlaneError(problem, {
    platform: 'AWS',
    api: 'the Lambda API',
    detail,
    effect: `so version ${version} of ${functionName} was not compared with the lock`,
    expected: 'an answer to GetFunctionConfiguration, after each start and every `aws.watch`',
    remedies,
    cause,
  });
}

const throttles = /^(?:TooManyRequests|Throttl|RequestLimit|RequestThrottled|SlowDown)/;
const forbids =
  /^(?:AccessDenied|Unrecognized|Expired|Invalid|Missing|Incomplete|SignatureDoesNotMatch|RequestExpired|CredentialsProvider|TokenProvider|OptInRequired)/;

function controlPlaneFailure(error: unknown, functionName: string, version: string): PluginError {
  const { name = '', code = '', $metadata } = Object(error) as AwsError;
  if (name === 'ResourceNotFoundException') return noSuchVersion(functionName, version, error);
  const status = $metadata?.httpStatusCode;
  const about = { functionName, version, cause: error };
  if (throttles.test(name) || status === 429) return failure('throttled', safe(name), about);
  if (forbids.test(name) || status === 401 || status === 403) return failure('forbidden', safe(name), about);
  return failure('unreachable', safe(code || name), about);
}

interface AwsError {
  readonly name?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

function safe(word: string): string {
  return /^[\w.]{1,80}$/.test(word) ? word : 'unknown error';
}
