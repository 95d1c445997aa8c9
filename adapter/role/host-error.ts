import { type ConnectCode, connectCodes } from '../../proto/codes.ts';
import { type ErrorCode, PluginError } from '../../proto/error.ts';
import { grpcOfError } from '../../proto/grpc-of-error.ts';
import type { CallTraits } from '../../proto/plugin-types.ts';
import { AnswerError } from '../shapes.ts';

/** Texts that SFTPGo writes into its log and events: fixed, so that nothing of a user or a function gets there. */
const texts: Partial<Record<ErrorCode, string>> = {
  DENIED: 'denied by the function',
  DEADLINE: 'no verified answer in time',
  UNREACHABLE: 'the function cannot be reached',
  DRIFT: 'the deployed code is not the locked one',
  ANSWER_UNSIGNED: 'the answer is not signed',
  ANSWER_REFUSED: 'the signature of the answer is refused',
  ANSWER_INVALID: 'the answer is invalid',
  FUNCTION_ERROR: 'the function failed',
  OVERLOADED: 'too much at once; the log of the adapter says what',
  CLOCK_SKEW: 'the clocks of host and function differ',
  CONFIG_INVALID: 'the configuration of the adapter is invalid; its log says where',
  LOCK_INVALID: 'the lock of the adapter is invalid; its log says where',
  LOCK_ROLLBACK: 'the lock of the adapter is older than the last one accepted',
  KEY_FILE_INVALID: 'a key file of the adapter is invalid; its log says which',
  KEY_FILE_EXPOSED: 'a key file of the adapter is exposed; its log says which',
  INPUT_INVALID: 'the request is invalid',
  GRANT_REFUSED: 'the login is refused by the rules of the adapter; its log says why',
};

/**
 * What the host gets for an error: a gRPC status and a fixed text with code and correlation id.
 *
 * NOT_FOUND tells it something in metadata calls only ("use the storage's own time"); from every other function
 * it is a failure that must not look like an answer.
 */
export function hostError(
  error: unknown,
  callId: string,
  traits?: Pick<CallTraits, 'notFound'>,
): { grpcCode: number; message: string } {
  const code = error instanceof PluginError ? error.code : 'INTERNAL';
  const grpcCode =
    error instanceof AnswerError && error.code === 'FUNCTION_ERROR'
      ? statusOf(error.connect, traits)
      : grpcOfError[code === 'FUNCTION_ERROR' ? 'INTERNAL' : code];
  return { grpcCode, message: `${texts[code] ?? 'internal error'} (${code}, call ${callId})` };
}

function statusOf(connect: ConnectCode, traits: Pick<CallTraits, 'notFound'> | undefined): number {
  const means = connect === 'not_found' && traits?.notFound !== true ? 'internal' : connect;
  return connectCodes[means].grpc;
}
