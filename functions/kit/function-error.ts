import type { ConnectCode } from '../../proto/codes.ts';

/**
 * An error that a function reports on purpose: the adapter gets its code, signed, and the host the gRPC status
 * of that code. Anything else that is thrown becomes `internal` with a fixed text.
 *
 * The message is cut to 200 printable ASCII characters and goes to the adapter's debug log only: not of a login, and not if
 * it quotes a secret of the request.
 *
 * ```ts
 * throw new FunctionError('unavailable', 'the ban list is being rebuilt');
 * ```
 */
export class FunctionError extends Error {
  override readonly name = 'FunctionError';
  /** One of Connect's sixteen codes, https://connectrpc.com/docs/protocol/#error-codes. */
  readonly code: ConnectCode;

  constructor(code: ConnectCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
