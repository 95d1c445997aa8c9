/**
 * Stable names of everything that can go wrong, for logs, metrics and `catch` blocks.
 * `proto/grpc-of-error.ts` maps each to the gRPC status the host sees.
 */
export type ErrorCode =
  /** The configuration file is missing, unreadable or wrong. */
  | 'CONFIG_INVALID'
  /** A key file is missing or not a key. */
  | 'KEY_FILE_INVALID'
  /** A key file can be read or written by others than its owner. */
  | 'KEY_FILE_EXPOSED'
  /** The lock is missing, malformed, too large or badly sealed. */
  | 'LOCK_INVALID'
  /** The lock is older than the one in force. */
  | 'LOCK_ROLLBACK'
  /** What answers is not what the lock says was built. */
  | 'DRIFT'
  /** The function was not reached, or something other than it answered. */
  | 'UNREACHABLE'
  /** No verified answer in time. */
  | 'DEADLINE'
  /** The answer has no signature of the profile. */
  | 'ANSWER_UNSIGNED'
  /** The answer's signature, binding or key is not what the request demands. */
  | 'ANSWER_REFUSED'
  /** A verified answer whose content breaks the contract. */
  | 'ANSWER_INVALID'
  /** A verified answer that grants more than the ceiling allows. */
  | 'GRANT_REFUSED'
  /** The function refused the request for its time; nothing ran there. */
  | 'CLOCK_SKEW'
  /** A request that the function does not accept: unsigned, altered, replayed or not for it. */
  | 'CALL_REFUSED'
  /** The function's decision on a verdict call: no. */
  | 'DENIED'
  /** The function answered with a signed error. */
  | 'FUNCTION_ERROR'
  /** Too much at once; shed. */
  | 'OVERLOADED'
  /** Input that cannot be what it should be: an address, a header, a field. */
  | 'INPUT_INVALID'
  /** go-plugin: not started by a host, or a host that speaks no version of ours. */
  | 'HOST_REFUSED'
  /** go-plugin: the plugin's executable is not the expected file. */
  | 'CHECKSUM_MISMATCH'
  /** go-plugin: the plugin did not print a usable handshake line in time. */
  | 'HANDSHAKE_INVALID'
  /** go-plugin: the plugin's process has ended. */
  | 'PLUGIN_EXITED'
  /** A tool or package that this command needs is not there. */
  | 'TOOL_MISSING'
  /** A defect of this program. */
  | 'INTERNAL';

/** The three things every message tells, and what caused it. Never a secret, a token or a user object. */
export interface ErrorParts {
  /** What happened, with the place: a file and line, a header, an RPC. */
  readonly happened: string;
  /** What was expected instead. */
  readonly expected: string;
  /** What the reader can do about it. */
  readonly remedy: string;
  readonly cause?: unknown;
}

/**
 * The one error class of this project. `code` is stable across releases; the message is for people.
 *
 * ```ts
 * throw new PluginError('LOCK_INVALID', {
 *   happened: 'bundles.lock.json is 9 MB', expected: 'at most 4 MiB', remedy: 'Build the lock again.',
 * });
 * ```
 */
export class PluginError extends Error {
  override readonly name: string = 'PluginError';
  readonly code: ErrorCode;
  readonly happened: string;
  readonly expected: string;
  readonly remedy: string;

  constructor(code: ErrorCode, parts: ErrorParts) {
    super(`${parts.happened}; expected ${parts.expected}. ${parts.remedy}`, { cause: parts.cause });
    this.code = code;
    this.happened = parts.happened;
    this.expected = parts.expected;
    this.remedy = parts.remedy;
  }
}
