import { PluginError } from '../../../proto/error.ts';
import { AnswerError, type Call, type Facts, type Handler, type Policy, type Reply } from '../../shapes.ts';
import { withinDeadline } from './deadline.ts';
import { isUnavailable } from './unavailable.ts';

/** How long an answer holds, in ms from its arrival; the two windows begin where freshness ends. */
export interface Lifetime {
  readonly freshMs: number;
  /** Answer from memory at once and ask again in the background. */
  readonly staleWhileRevalidateMs: number;
  /** Answer from memory when asking failed. */
  readonly staleIfErrorMs: number;
}

/** What a call asks about. */
export interface Key {
  /** Calls with equal ids share one flight. */
  readonly id: string;
}

/** Until when an answer holds: instants on the `performance.now()` scale, so a clock that jumps moves no verdict. */
export interface Entry {
  readonly freshUntil: number;
  readonly revalidateUntil: number;
  readonly errorUntil: number;
  /** Counts reloads: an entry of an earlier one is stale. */
  readonly epoch: number;
}

/** A verified decision: a reply, or the function's signed no. */
export type Outcome = { readonly reply: Reply } | { readonly denied: AnswerError };

/** Where answers are kept. It is bounded, and may forget anything at any time. */
export interface Store<K extends Key, L extends Lifetime, E extends Entry> {
  /** The entry that speaks about this key, fresh or not. */
  get(key: K, nowMs: number): E | undefined;
  /** The entry that may stand in for a function that cannot be asked. */
  reserve(key: K, nowMs: number): E | undefined;
  /** Keeps an answer that has just arrived. */
  set(key: K, outcome: Outcome, entry: Entry, keep: { readonly lifetime: L; readonly nowMs: number }): void;
  /** Nothing that is remembered speaks about this key any more. */
  delete(key: K): void;
  /** The answer again. */
  recall(entry: E): Outcome;
}

/** How one call was answered: one of these is counted for each. */
export type CacheOutcome = 'fresh' | 'revalidated' | 'stale-if-error' | 'miss' | 'shed' | 'failed';

export interface CacheOptions<K extends Key, L extends Lifetime, E extends Entry> {
  /** Absent: nothing is remembered, and equal calls still share one flight. */
  readonly store: Store<K, L, E> | undefined;
  /** Equal keys get equal answers; undefined: neither remembered nor shared. */
  key(call: Call): K | undefined;
  /** How long this answer holds; undefined: not at all. */
  lifetime(key: K, facts: Facts): L | undefined;
  count?(outcome: CacheOutcome): void;
}

/**
 * A flight ends before its caller gives up: by then, the policies below know what came of it. So much earlier (ms) that
 * a process which is held up between its two timers does not turn them round, and at most this share of what is left.
 */
const earlierMs = 20;
const earlierShare = 1 / 20;

function factsOf(outcome: Outcome): Facts | undefined {
  return 'denied' in outcome ? outcome.denied.facts : outcome.reply.facts;
}

function settle(outcome: Outcome): Reply {
  if ('denied' in outcome) throw outcome.denied;
  return outcome.reply;
}

/**
 * Remembers verified answers, and lets equal calls share one flight. Lives in memory only.
 *
 * Fresh → from memory; within stale-while-revalidate → from memory, and asked again; failed and within
 * stale-if-error → from memory. A reload makes every entry stale but drops none before a new answer replaced it.
 * From DRIFT on until the next verified answer, only what is fresh counts.
 *
 * Stands above the deadline policy, which ends each flight: the other way round, a call that times out would be
 * refused before its stale answer could be used.
 */
export function cache<K extends Key, L extends Lifetime, E extends Entry>(
  options: CacheOptions<K, L, E>,
): Policy {
  const { store } = options;
  const flights = new Map<string, Promise<Outcome>>();
  let epoch = 0;
  let drifted = false;

  async function ask(next: Handler, call: Call, key: K): Promise<Outcome> {
    const asked = epoch;
    let outcome: Outcome;
    try {
      outcome = { reply: await next(call) };
    } catch (error) {
      // what the locked code said before somebody changed it stands in for nothing any more
      if (error instanceof PluginError && error.code === 'DRIFT') {
        drifted = true;
        store?.delete(key);
      }
      if (!(error instanceof AnswerError && error.code === 'DENIED')) throw error;
      outcome = { denied: error };
    }
    drifted = false;
    // asked before a reload: a later flight may have brought something newer
    if (asked === epoch) learn(key, outcome);
    return outcome;
  }

  function learn(key: K, outcome: Outcome): void {
    const facts = factsOf(outcome);
    const lifetime = facts && options.lifetime(key, facts);
    if (lifetime === undefined) {
      store?.delete(key);
      return;
    }
    const nowMs = performance.now();
    const freshUntil = nowMs + lifetime.freshMs;
    const entry = {
      freshUntil,
      revalidateUntil: freshUntil + lifetime.staleWhileRevalidateMs,
      errorUntil: freshUntil + lifetime.staleIfErrorMs,
      epoch,
    };
    store?.set(key, outcome, entry, { lifetime, nowMs });
  }

  /** The flight outlives the caller that began it: others wait for it. Its end is that caller's deadline. */
  function fly(next: Handler, call: Call, key: K): Promise<Outcome> {
    const current = flights.get(key.id);
    if (current !== undefined) return current;
    const { signal } = new AbortController();
    const leftMs = Math.max(0, call.deadlineMs - performance.now());
    const deadlineMs = call.deadlineMs - Math.min(earlierMs, leftMs * earlierShare);
    const flight = ask(next, { ...call, signal, deadlineMs }, key).finally(() => {
      if (flights.get(key.id) === flight) flights.delete(key.id);
    });
    flights.set(key.id, flight);
    return flight;
  }

  /** What may stand in for a function that cannot be asked: by what is known now, not when the question began. */
  function reserveOf(key: K): E | undefined {
    const nowMs = performance.now();
    const entry = drifted ? undefined : store?.reserve(key, nowMs);
    return entry !== undefined && nowMs < entry.errorUntil ? entry : undefined;
  }

  /**
   * Waits for the flight under way, or begins one. One that ended for the deadline of the caller that began it says
   * nothing about this call, which may have come much later: it asks for itself, unless memory can answer.
   */
  async function land(next: Handler, call: Call, key: K, signal: AbortSignal): Promise<Outcome> {
    const joins = flights.has(key.id);
    try {
      return await fly(next, call, key);
    } catch (error) {
      const late = error instanceof PluginError && error.code === 'DEADLINE';
      if (!joins || !late || signal.aborted || reserveOf(key) !== undefined) throw error;
      return await fly(next, call, key);
    }
  }

  function fromMemory(call: Call, entry: E, answeredBy: string): Reply {
    const outcome = store?.recall(entry);
    if (outcome === undefined) throw new TypeError('an entry without its store');
    const facts = factsOf(outcome);
    if (call.trace) Object.assign(call.trace, { answeredBy, ...(facts ? { facts } : {}) });
    return settle(outcome);
  }

  async function fromFunction(next: Handler, call: Call, key: K): Promise<Reply> {
    let outcome: Outcome;
    try {
      outcome = await withinDeadline(call, (signal) => land(next, call, key, signal));
    } catch (error) {
      const reserve = isUnavailable(error) ? reserveOf(key) : undefined;
      if (reserve === undefined) {
        const overloaded = error instanceof PluginError && error.code === 'OVERLOADED';
        options.count?.(overloaded ? 'shed' : 'failed');
        throw error;
      }
      options.count?.('stale-if-error');
      return fromMemory(call, reserve, 'cache, stale');
    }
    options.count?.('miss');
    return settle(outcome);
  }

  return {
    name: 'cache',
    wrap: (next) => async (call) => {
      const key = options.key(call);
      if (key === undefined) return await next(call);
      const nowMs = performance.now();
      const entry = store?.get(key, nowMs);
      if (entry?.epoch === epoch) {
        if (nowMs < entry.freshUntil) {
          options.count?.('fresh');
          return fromMemory(call, entry, 'cache');
        }
        if (nowMs < entry.revalidateUntil && !drifted && store?.reserve(key, nowMs) === entry) {
          fly(next, call, key).catch(() => undefined);
          options.count?.('revalidated');
          return fromMemory(call, entry, 'cache, being revalidated');
        }
      }
      return await fromFunction(next, call, key);
    },
    async reload() {
      epoch += 1;
      // a flight that began before the reload answers only those who wait for it already
      flights.clear();
    },
  };
}
