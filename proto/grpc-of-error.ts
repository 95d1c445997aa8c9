import { connectCodes } from './codes.ts';
import type { ErrorCode } from './error.ts';

/**
 * The gRPC status the host sees for each of our errors. `FUNCTION_ERROR` is not in it: it carries the
 * function's own Connect code.
 */
export const grpcOfError: Readonly<Record<Exclude<ErrorCode, 'FUNCTION_ERROR'>, number>> = {
  CONFIG_INVALID: connectCodes.failed_precondition.grpc,
  KEY_FILE_INVALID: connectCodes.failed_precondition.grpc,
  KEY_FILE_EXPOSED: connectCodes.failed_precondition.grpc,
  LOCK_INVALID: connectCodes.failed_precondition.grpc,
  LOCK_ROLLBACK: connectCodes.failed_precondition.grpc,
  DRIFT: connectCodes.failed_precondition.grpc,
  UNREACHABLE: connectCodes.unavailable.grpc,
  DEADLINE: connectCodes.deadline_exceeded.grpc,
  ANSWER_UNSIGNED: connectCodes.unavailable.grpc,
  ANSWER_REFUSED: connectCodes.unavailable.grpc,
  ANSWER_INVALID: connectCodes.internal.grpc,
  GRANT_REFUSED: connectCodes.permission_denied.grpc,
  CLOCK_SKEW: connectCodes.failed_precondition.grpc,
  CALL_REFUSED: connectCodes.unauthenticated.grpc,
  DENIED: connectCodes.permission_denied.grpc,
  OVERLOADED: connectCodes.resource_exhausted.grpc,
  INPUT_INVALID: connectCodes.invalid_argument.grpc,
  HOST_REFUSED: connectCodes.failed_precondition.grpc,
  CHECKSUM_MISMATCH: connectCodes.failed_precondition.grpc,
  HANDSHAKE_INVALID: connectCodes.unavailable.grpc,
  PLUGIN_EXITED: connectCodes.unavailable.grpc,
  TOOL_MISSING: connectCodes.failed_precondition.grpc,
  INTERNAL: connectCodes.internal.grpc,
};
