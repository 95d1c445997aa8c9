/** gRPC status numbers this layer itself uses. https://grpc.io/docs/guides/status-codes/ */
export const grpcStatus = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

/**
 * An RPC that ended with a status other than OK. A plugin's handler throws it (or anything else with a numeric
 * `grpcCode` from 1 to 16 and a `message`) to choose what the host sees; the host's `call` throws it.
 *
 * ```ts
 * throw new GrpcError(grpcStatus.notFound, 'no such key');
 * ```
 */
export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  /** A gRPC status number from 1 to 16. */
  readonly grpcCode: number;
  /** What the other side sent after the status, on the host's side; empty otherwise. */
  readonly trailers: ReadonlyMap<string, string>;

  constructor(grpcCode: number, message: string, trailers: ReadonlyMap<string, string> = new Map()) {
    super(message);
    this.grpcCode = grpcCode;
    this.trailers = trailers;
  }
}

/** Does this thrown value choose its own gRPC status? */
export function hasGrpcCode(error: unknown): error is { grpcCode: number; message: string } {
  if (typeof error !== 'object' || error === null) return false;
  const { grpcCode, message } = error as { grpcCode?: unknown; message?: unknown };
  return (
    typeof grpcCode === 'number' &&
    Number.isInteger(grpcCode) &&
    grpcCode >= 1 &&
    grpcCode <= 16 &&
    typeof message === 'string'
  );
}
