import type { ConnectCode } from '../../proto/codes.ts';
import { FunctionError } from '../kit/function-error.ts';
import { describeThrown, type Log } from '../kit/log.ts';

/** What DynamoDB's errors mean for the caller; anything else is "not now". */
const codes: Readonly<Record<string, ConnectCode>> = {
  ProvisionedThroughputExceededException: 'resource_exhausted',
  RequestLimitExceeded: 'resource_exhausted',
  ThrottlingException: 'resource_exhausted',
  ResourceNotFoundException: 'failed_precondition',
  AccessDeniedException: 'failed_precondition',
  UnrecognizedClientException: 'failed_precondition',
  CredentialsProviderError: 'failed_precondition',
  ValidationException: 'internal',
  AbortError: 'deadline_exceeded',
  TimeoutError: 'deadline_exceeded',
};

/**
 * Runs work on a table. What DynamoDB says goes to the function's log; the caller gets a code and a fixed text.
 *
 * @throws FunctionError
 */
export async function onTable<T>(table: string, log: Log, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof FunctionError) throw thrown;
    const name = thrown instanceof Error ? thrown.name : '';
    const code = (Object.hasOwn(codes, name) ? codes[name] : undefined) ?? 'unavailable';
    log.error(`the table ${table} cannot be used`, describeThrown(thrown));
    throw new FunctionError(code, 'the table cannot be used; the log of the function says why', {
      cause: thrown,
    });
  }
}
