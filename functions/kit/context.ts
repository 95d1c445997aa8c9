import type { Log } from './log.ts';

/** What a handler gets beside its input. Everything in it belongs to this one call. */
export interface Context<Env = unknown> {
  /** The platform's bindings and variables: KV, secrets, … */
  readonly env: Env;
  /** The call's id: the same for every attempt of one call, so writes can be made idempotent by it. */
  readonly id: string;
  /**
   * The request's `traceparent` (https://www.w3.org/TR/trace-context/), where the adapter traces. It is not signed: use
   * it for traces and nothing else.
   */
  readonly traceparent?: string;
  /** Aborts at the deadline; pass it to `fetch`. */
  readonly signal: AbortSignal;
  /** The instant, on the `Date.now()` scale in ms, after which nobody waits for the answer. */
  readonly deadlineMs: number;
  /**
   * Lets work go on after the answer: counters, logs. Its failures are logged. On Lambda nothing runs after the answer:
   * there the answer waits for it, see {@link Beside}.
   */
  waitUntil(work: Promise<unknown>, beside?: Beside): void;
  readonly log: Log;
}

/** How much work beside an answer may cost the caller. */
export interface Beside {
  /**
   * Where the answer has to wait for the work (Lambda), no longer than this; what is left goes on with the next call, if
   * one comes. Absent: until it is done, or the deadline.
   */
  readonly atMostMs?: number;
}

/** The part of a Worker's execution context that the kit uses. */
export interface WaitUntil {
  /** A Worker's own takes no second argument, and has no need of it. */
  waitUntil(work: Promise<unknown>, beside?: Beside): void;
  /** Where the platform ends a call by itself: an instant on the `Date.now()` scale in ms. */
  readonly deadlineMs?: number;
}
