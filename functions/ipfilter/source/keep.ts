import { PluginError } from '../../../proto/error.ts';
import type { Context } from '../../kit/index.ts';
import { readPlace } from './read.ts';
import type { Place } from './source.ts';

/** What is known of a source when a verdict needs it. */
export interface Held<T> {
  /** undefined: it was never read. */
  readonly value: T | undefined;
  /** Why it could not be read the last time; undefined: it could. */
  readonly problem: string | undefined;
  /** Since when it could not, in ms on Date.now()'s scale. */
  readonly brokenSinceMs: number | undefined;
}

/** A list or a database that is looked at again and again, the last good copy kept. */
export interface Kept<T, Env> {
  /** `list abuse`, for logs and reasons. */
  readonly name: string;
  /**
   * What is held. Waits only where nothing is held yet; never throws. What is due is read after the answer.
   */
  get(context: Context<Env>): Held<T> | Promise<Held<T>>;
  /** Reads it now, whether or not it is due. Never throws. */
  refresh(context: Context<Env>): Promise<Held<T>>;
}

/** A source that could not be read is tried again after this. */
const retryMs = 30_000;
/** The same where nothing is held, so that each call does not ask a source that is down. */
const firstRetryMs = 5_000;
/** A read that has not ended by then is given up: its isolate may have been stopped in the middle. */
const abandonedMs = 30_000;
/** Where an answer has to wait for work beside it (Lambda): so long for a read that this call began … */
const beginMs = 250;
/** … and so long for one that another call began, so that it gets on. */
const joinMs = 50;

/**
 * Keeps one source.
 *
 * One read at a time; others wait for it, or go on with what is held. A read that fails (not there, a broken
 * line, a damaged database, no end) changes nothing but {@link Held.problem}, and writes one WARN line.
 *
 * @param everyMs infinite: what is held at the beginning is never read again
 * @param parse turns what was read into what is held; what it throws is the problem
 * @param initial held at the beginning
 */
export function keep<T, Env>(
  name: string,
  place: Place,
  everyMs: number,
  parse: (pieces: Uint8Array[], warn: (message: string) => void) => T,
  initial?: T,
): Kept<T, Env> {
  let held: Held<T> = { value: initial, problem: undefined, brokenSinceMs: undefined };
  let tag: string | undefined;
  let readAtMs = initial === undefined ? undefined : Date.now();
  /** Attempts so far, and the newest of them that has ended. */
  let begun = 0;
  let ended = 0;
  let flight: { readonly done: Promise<Held<T>>; readonly startedMs: number } | undefined;

  return {
    name,
    get(context) {
      if (!isDue()) return held;
      const reading = read(context);
      return held.value === undefined ? reading : held;
    },
    refresh: (context) => (everyMs === Number.POSITIVE_INFINITY ? Promise.resolve(held) : read(context)),
  };

  function isDue(): boolean {
    if (readAtMs === undefined) return true;
    if (everyMs === Number.POSITIVE_INFINITY) return false;
    const age = Date.now() - readAtMs;
    const lifeMs =
      held.problem === undefined
        ? everyMs
        : Math.min(everyMs, held.value === undefined ? firstRetryMs : retryMs);
    // a negative age: the clock was set back
    return age < 0 || age >= lifeMs;
  }

  function read(context: Context<Env>): Promise<Held<T>> {
    const nowMs = Date.now();
    if (flight !== undefined && nowMs - flight.startedMs < abandonedMs && nowMs >= flight.startedMs) {
      if (held.value !== undefined) context.waitUntil(flight.done, { atMostMs: joinMs });
      return flight.done;
    }
    if (flight !== undefined) failed(new Error('a read did not end in time'), context);
    begun += 1;
    const turn = begun;
    const done: Promise<Held<T>> = attempt(context, turn).finally(() => {
      ended = Math.max(ended, turn);
      if (flight?.done === done) flight = undefined;
    });
    flight = { done, startedMs: nowMs };
    // others may wait for it: it goes on when the call that began it is over
    context.waitUntil(done, held.value === undefined ? undefined : { atMostMs: beginMs });
    return done;
  }

  /**
   * One that was given up still counts when it ends, unless a later one has: a Lambda that is asked once a minute is
   * frozen between the calls, and its reads with it.
   */
  async function attempt(context: Context<Env>, turn: number): Promise<Held<T>> {
    const { env, log } = context;
    const warn = (message: string) => log.warn(message, { source: name });
    try {
      const content = await readPlace(place, env, held.value === undefined ? undefined : tag);
      if (turn < ended) return held;
      if (content !== 'unchanged') {
        const value = parse(content.pieces, warn);
        tag = content.tag;
        held = { value, problem: undefined, brokenSinceMs: undefined };
      } else if (held.problem !== undefined) {
        held = { value: held.value, problem: undefined, brokenSinceMs: undefined };
      }
    } catch (error) {
      // one that was given up has been reported
      if (turn < begun) return held;
      failed(error, context);
    }
    readAtMs = Date.now();
    return held;
  }

  function failed(error: unknown, { log }: Context<Env>): void {
    const brokenSinceMs = held.brokenSinceMs ?? Date.now();
    const problem = describe(error);
    held = { value: held.value, problem, brokenSinceMs };
    const what = held.value === undefined ? 'there is none' : 'the last good one stays';
    log.warn(`${name} could not be read: ${problem}; ${what}${remedyOf(error)}`, {
      source: name,
      since: new Date(brokenSinceMs).toISOString(),
    });
  }
}

/** For the log. In {@link Held.problem}, which an answer carries, there is no room for it. */
function remedyOf(error: unknown): string {
  return error instanceof PluginError ? `. Expected: ${error.expected}. ${error.remedy}` : '';
}

function describe(error: unknown): string {
  if (error instanceof PluginError) return error.happened;
  return error instanceof Error ? error.message : 'the source threw something that is no error';
}
