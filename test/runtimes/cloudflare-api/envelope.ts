/** An error as Cloudflare's API gives it: `status`, and the `errors` of its envelope. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** `{success, errors, messages, result}` (https://developers.cloudflare.com/fundamentals/api/how-to/make-api-calls/). */
export function envelope(result: unknown, errors: readonly { code: number; message: string }[] = []): string {
  return JSON.stringify({ success: errors.length === 0, errors, messages: [], result });
}

/** The errors that Cloudflare's API is known to give, with its codes. */
export const apiErrors = {
  /** https://developers.cloudflare.com/fundamentals/api/troubleshooting/ */
  unauthenticated: () => new ApiError(401, 10001, 'Unable to authenticate request'),
  forbidden: () => new ApiError(403, 10000, 'Authentication error'),
  noWorker: () => new ApiError(404, 10007, 'This Worker does not exist on your account.'),
  noEnvironment: () => new ApiError(404, 10090, 'This environment does not exist.'),
  noVersion: () => new ApiError(404, 10054, 'Version not found.'),
  noNamespace: () => new ApiError(404, 10013, 'namespace not found'),
  noRoute: () =>
    new ApiError(404, 7003, 'Could not route to the path, perhaps your object identifier is invalid?'),
  throttled: () => new ApiError(429, 971, 'Please wait and consider throttling your request speed'),
  invalid: (message: string) => new ApiError(400, 10021, message),
} as const;
