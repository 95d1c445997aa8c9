import type { ErrorCode } from '../../../proto/error.ts';
import { PluginError } from '../../../proto/error.ts';

/**
 * Failures in which nothing is known of the function's decision. Drift, a bad lock and a bad config are not among
 * them: there, somebody may have changed the code, and only a fresh verdict still counts (docs/reliability.md).
 */
const codes: ReadonlySet<ErrorCode> = new Set([
  'UNREACHABLE',
  'DEADLINE',
  'ANSWER_UNSIGNED',
  'ANSWER_REFUSED',
  'ANSWER_INVALID',
  'FUNCTION_ERROR',
  'CLOCK_SKEW',
]);

/** Could the function not be asked, or did it not decide? */
export function isUnavailable(error: unknown): error is PluginError {
  return error instanceof PluginError && codes.has(error.code);
}
