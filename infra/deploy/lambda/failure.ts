import { PluginError } from '../../../proto/error.ts';
import { noCallers } from '../callers.ts';

const throttled = /TooManyRequests|Throttl|RequestLimit|Rate exceeded|TooManyUpdates/;
const forbidden =
  /AccessDenied|not authorized|UnrecognizedClient|InvalidClientTokenId|ExpiredToken|InvalidSignature|SignatureDoesNotMatch|MissingAuthenticationToken|CredentialsProvider|Could not load credentials|credentials.* (?:not found|missing)|security token .* invalid/i;
const unreachable =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|TimeoutError|timed out|CERT_|getaddrinfo|socket hang up/i;

/** What osls says of `${env:PLUGIN_CALLERS}` without the variable. */
const unknownCallers = /variable at "[^"]*\bPLUGIN_CALLERS": Value not found at "env"/;

/** The name of an error of the AWS SDK. */
export function awsErrorName(error: unknown): string {
  const { name } = Object(error) as { name?: unknown };
  return typeof name === 'string' ? name : '';
}

/**
 * What AWS did not do, as UNREACHABLE in one of three messages: cannot be reached, throttles, forbids. Nothing of the
 * deployment is lost: the same command goes on where it stopped.
 *
 * Takes the error of the SDK, what was asked for (`ssm:GetParameter on /sftpgo/live/team`), and the region.
 */
export function awsFailure(error: unknown, action: string, region: string): PluginError {
  if (error instanceof PluginError) return error;
  const { name = '', code = '', message = '' } = Object(error) as Record<string, string>;
  const failure = (happened: string, remedy: string) => {
    const detail = [name, code].filter((word) => /^[\w.]{2,60}$/.test(word) && word !== 'Error').join(', ');
    return new PluginError('UNREACHABLE', {
      happened: `${happened} (${detail || 'unknown error'})`,
      expected: action,
      remedy,
      cause: error,
    });
  };
  const text = `${name} ${code} ${message}`;
  if (throttled.test(text)) return failure(`AWS throttles in ${region}`, 'Wait a minute and run it again.');
  if (forbidden.test(text)) {
    return failure(
      `AWS forbids it in ${region}`,
      'Check the credentials (AWS_PROFILE, AWS_ACCESS_KEY_ID) and the rights in docs/deploy.md, and run it again.',
    );
  }
  if (unreachable.test(text) || code !== '') {
    return failure(`AWS cannot be reached in ${region}`, 'Check network and region, and run it again.');
  }
  return failure(`AWS refused in ${region}`, 'Correct what the error names, and run it again.');
}

/**
 * A run of osls that failed, as one of ours: CONFIG_INVALID where it did not get as far as AWS, else UNREACHABLE as
 * {@link awsFailure}, with the text that osls printed under `Error:`.
 */
export function oslsFailure(step: 'package' | 'deploy', output: string): PluginError {
  const [, said = output] = /Error:\s*\n([\s\S]*)$/.exec(output) ?? [];
  const text = said.trim().split('\n').slice(0, 8).join(' ').slice(0, 600) || 'it printed nothing';
  if (step === 'package') {
    if (unknownCallers.test(said)) return noCallers();
    return new PluginError('CONFIG_INVALID', {
      happened: `osls cannot package serverless.yml: ${text}`,
      expected: 'a service that `npx osls package` packages',
      remedy: 'Correct the file: docs/deploy.md explains every line.',
    });
  }
  const [problem, remedy] = throttled.test(text)
    ? ['AWS throttles', 'Wait a minute and run it again.']
    : forbidden.test(text)
      ? ['AWS forbids it', 'Check the credentials and the rights in docs/deploy.md, and run it again.']
      : unreachable.test(text)
        ? ['AWS cannot be reached', 'Check network and region, and run it again.']
        : ['the stack was not deployed', 'Correct what the text names, and run it again.'];
  return new PluginError('UNREACHABLE', {
    happened: `${problem}: ${text}`,
    expected: 'osls to deploy the stack',
    remedy,
  });
}
