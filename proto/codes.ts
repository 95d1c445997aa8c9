import type { ErrorCode } from './error.ts';

/**
 * Connect's error codes with their gRPC number and HTTP status.
 * Source: https://connectrpc.com/docs/protocol/#error-codes and the gRPC status code list.
 */
export const connectCodes = {
  canceled: { grpc: 1, http: 499 },
  unknown: { grpc: 2, http: 500 },
  invalid_argument: { grpc: 3, http: 400 },
  deadline_exceeded: { grpc: 4, http: 504 },
  not_found: { grpc: 5, http: 404 },
  already_exists: { grpc: 6, http: 409 },
  permission_denied: { grpc: 7, http: 403 },
  resource_exhausted: { grpc: 8, http: 429 },
  failed_precondition: { grpc: 9, http: 400 },
  aborted: { grpc: 10, http: 409 },
  out_of_range: { grpc: 11, http: 400 },
  unimplemented: { grpc: 12, http: 501 },
  internal: { grpc: 13, http: 500 },
  unavailable: { grpc: 14, http: 503 },
  data_loss: { grpc: 15, http: 500 },
  unauthenticated: { grpc: 16, http: 401 },
} as const;

export type ConnectCode = keyof typeof connectCodes;

/** Is this text one of Connect's sixteen codes? */
export function isConnectCode(text: unknown): text is ConnectCode {
  return typeof text === 'string' && Object.hasOwn(connectCodes, text);
}

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
