import { PluginError } from '../../../proto/error.ts';
import { UnreachableError } from '../https/send.ts';
import type { Lambda } from './client.ts';
import type { LambdaVersion } from './send.ts';

/** Longest look at the control plane, in ms. */
const timeoutMs = 5000;

/**
 * Asks AWS for the CodeSha256 of one version: SHA-256 of its zip, in base64. Published versions are immutable.
 *
 * Throws DRIFT when there is no such version, and UNREACHABLE with one of three messages: the control plane cannot
 * be reached, throttles, or forbids.
 */
export async function deployedCode(
  { client, sdk }: Lambda,
  { arn, functionName, version }: LambdaVersion,
): Promise<string> {
  const command = new sdk.GetFunctionConfigurationCommand({ FunctionName: arn, Qualifier: version });
  try {
    const found = await client.send(command, { abortSignal: AbortSignal.timeout(timeoutMs) });
    // an endpoint that ignores the qualifier would show other code than it runs
    if (found.Version === version) return found.CodeSha256 ?? '';
  } catch (error) {
    throw controlPlaneFailure(error, functionName, version);
  }
  throw controlPlaneFailure({ name: 'ResourceNotFoundException' }, functionName, version);
}

function controlPlaneFailure(error: unknown, functionName: string, version: string): PluginError {
  const { name = '', code = '' } = Object(error) as { name?: string; code?: string };
  if (name === 'ResourceNotFoundException') {
    return new PluginError('DRIFT', {
      happened: `AWS has no version ${version} of ${functionName}`,
      expected: 'the version in the lock',
      remedy: 'Publish it again and build a new lock with its number, or correct the ARN.',
      cause: error,
    });
  }
  const unproved = `so the code of version ${version} of ${functionName} is not proved yet`;
  const expected = 'GetFunctionConfiguration once after each start, before any call is sent';
  const failure = (happened: string, remedy: string) =>
    new UnreachableError(`${happened}, ${unproved}`, true, error, { expected, remedy });
  if (/^(?:TooManyRequests|Throttl|RequestLimit)/.test(name)) {
    return failure(
      `AWS throttles the Lambda API (${name})`,
      'It is asked again by itself; look for what else calls this API.',
    );
  }
  if (
    /^(?:AccessDenied|Unrecognized|Expired|Invalid|Missing|Incomplete|SignatureDoesNotMatch|CredentialsProvider)/.test(
      name,
    )
  ) {
    const remedy =
      "Allow lambda:GetFunctionConfiguration on function:NAME:* to the adapter's role or user, and check its credentials: docs/lambda.md.";
    return failure(`AWS forbids to look at the function (${name})`, remedy);
  }
  const detail = /^[\w.]{1,80}$/.test(code || name) ? code || name : 'unknown error';
  return failure(
    `the Lambda API cannot be reached (${detail})`,
    'Check network, DNS and `aws.endpoint`; it is asked again by itself.',
  );
}
