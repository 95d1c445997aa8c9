import { type ErrorParts, PluginError } from '../../proto/error.ts';

/**
 * ANSWER_UNSIGNED because the platform turned the request away for the number of requests: nobody asked the function.
 * Who sends many requests brings this about, so it must open nothing.
 */
export class ThrottledError extends PluginError {
  override readonly name = 'ThrottledError';
  readonly throttled = true;

  constructor(functionName: string, cause: ErrorParts['cause']) {
    super('ANSWER_UNSIGNED', {
      happened: `${functionName} was not asked: 429 without a signature, a limit of the platform`,
      expected: 'a signed answer',
      remedy: "Look at the platform's limits and quotas, and for a flood of connections.",
      cause,
    });
  }
}
