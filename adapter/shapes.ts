import type { DescMethod, Message } from '@bufbuild/protobuf';
import type { ConnectCode } from '../proto/codes.ts';
import { type ErrorCode, type ErrorParts, PluginError } from '../proto/error.ts';
import type { CallTraits } from '../proto/plugin-types.ts';

/**
 * What a check of the deployed code proves. `platform`: the cloud ran exactly the locked version.
 * `observed`: the deployment was looked at and matched. `claimed`: the function says so, signed.
 */
export type Evidence = 'platform' | 'observed' | 'claimed';

/** What the verified plugin-* headers of an answer said, and how far its code is proved. */
export interface Facts {
  readonly grant?: 'merge' | 'replace' | 'unchanged';
  /** plugin-dialogue (auth): the function's own sealed state, to be sent with the next step as it is. */
  readonly dialogue?: string;
  /** A network prefix, optionally with protocols: the range the verdict holds for. */
  readonly scope?: string;
  readonly freshMs?: number;
  readonly staleWhileRevalidateMs?: number;
  readonly staleMs?: number;
  /** At most 200 printable ASCII characters, for the debug log and `call`, never for the client. */
  readonly reason?: string;
  readonly evidence: Evidence;
  /** The build id or platform version that answered. */
  readonly version: string;
  /** Thumbprint (RFC 7638) of the key that signed the answer. */
  readonly keyid: string;
}

/** Where one call's time went, in ms; filled only for calls that ask for it. */
export interface Trace {
  signMs?: number;
  networkMs?: number;
  functionMs?: number;
  verifyMs?: number;
  /** The id that the call goes out with, where it is not its own: an event's. */
  callId?: string;
  /** Which policy answered when it was not the function: `cache`, `always-allow`, … */
  answeredBy?: string;
  facts?: Facts;
}

/** One call of the host on its way through the policies to a function. */
export interface Call {
  readonly method: DescMethod;
  readonly traits: CallTraits;
  readonly input: Message;
  /** plugin-call-id: 128 random bits or the SHA-256 of an event, hex; the same for every attempt of this call. */
  readonly id: string;
  /** Further plugin-* request headers, signed like all of them: plugin-instance, plugin-dialogue. */
  readonly headers?: readonly (readonly [name: `plugin-${string}`, value: string])[];
  /** The header `traceparent` of the request, where requests are traced: docs/metrics.md. It is not signed. */
  readonly traceparent?: string;
  /** Instant on the `performance.now()` scale by which the host must have its answer. */
  readonly deadlineMs: number;
  /** Aborts when the host gave up on the call. */
  readonly signal: AbortSignal;
  readonly trace?: Trace;
}

export interface Reply {
  readonly output: Message;
  /** Absent when a policy answered without the function. */
  readonly facts?: Facts;
}

/** Takes a call and gives a reply, or throws a {@link PluginError}. */
export type Handler = (call: Call) => Promise<Reply>;

/** Turns a handler into a handler: whatever must stay on the host is one. */
export interface Policy {
  readonly name: string;
  wrap(next: Handler): Handler;
  /** The host asked to reload: what is remembered is stale from now on. */
  reload?(): Promise<void>;
  close?(): Promise<void>;
}

export type HeaderList = readonly (readonly [name: string, value: string])[];

/** An HTTP request as it goes to a function. Header names are lower case. */
export interface HttpMessage {
  readonly url: string;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
}

export interface HttpAnswer {
  readonly status: number;
  /** As received, lower-case names, one entry per field line. */
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  /** The version that ran, said by the platform and not by the code (Lambda's ExecutedVersion). */
  readonly executed?: string;
  /**
   * Closes the connection that this came over. For an answer that does not fit its request: if one answer too many
   * came over the connection, every later call on it would get the answer of the one before.
   */
  discard?(): void;
}

/** Carries an HTTP request to one function and its answer back; knows nothing of signatures. */
export interface Target {
  /**
   * Where one version is: a normalised address without a trailing slash; `${origin(pin)}/proto.IPFilter/CheckIP` is
   * the @target-uri.
   */
  origin(pin: string): string;
  /** Throws UNREACHABLE, DEADLINE or ANSWER_UNSIGNED (an answer no function of ours can have sent). */
  send(message: HttpMessage, pin: string, signal: AbortSignal): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/** One compared field of a deployment, for `verify`. */
export interface Finding {
  readonly function: string;
  readonly target: 'lambda' | 'worker' | 'https' | 'local';
  readonly version: string;
  readonly field: string;
  readonly expected: string;
  readonly found: string;
  /** How far this row proves what runs. */
  readonly evidence: Evidence;
  readonly ok: boolean;
}

/** Decides which version to call and whether the one that answered is the one that was built. */
export interface Verifier {
  /** What to call: a Lambda version, or '' where the address is all there is. */
  pin(signal: AbortSignal): Promise<string>;
  /** Throws DRIFT when `claimed` or `answer.executed` is not in the lock. */
  accept(
    pin: string,
    answer: HttpAnswer,
    claimed: string | undefined,
    signal: AbortSignal,
  ): Evidence | Promise<Evidence>;
  audit(signal: AbortSignal): Promise<readonly Finding[]>;
  /**
   * Begins to look at what is deployed, now and by a timer, and returns what ends it. Only `serve` calls it. Absent
   * where there is nothing to look at.
   */
  watch?(): () => void;
}

/**
 * An error that a verified answer carried: `DENIED` (a verdict) or `FUNCTION_ERROR`. The function's own text
 * stays in {@link functionText} for the debug log; `message` is fixed.
 */
export class AnswerError extends PluginError {
  override readonly name = 'AnswerError';
  readonly connect: ConnectCode;
  readonly facts: Facts;
  readonly functionText: string;

  constructor(
    code: Extract<ErrorCode, 'DENIED' | 'FUNCTION_ERROR'>,
    parts: ErrorParts,
    answer: { connect: ConnectCode; facts: Facts; functionText: string },
  ) {
    super(code, parts);
    this.connect = answer.connect;
    this.facts = answer.facts;
    this.functionText = answer.functionText;
  }
}
