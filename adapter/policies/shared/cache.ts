import { LRUCache } from 'lru-cache';
import { PluginError } from '../../../proto/error.ts';
import { AnswerError, type Call, type Facts, type Handler, type Policy, type Reply } from '../../shapes.ts';
import { withinDeadline } from './deadline.ts';
import { isUnavailable } from './unavailable.ts';

/** How long an answer holds, in ms from its arrival; each window begins where freshness ends. */
export interface Lifetime {
  readonly freshMs: number;
  /** Answer from memory at once and ask again in the background. */
  readonly staleWhileRevalidateMs: number;
  /** Answer from memory when asking failed. */
  readonly staleIfErrorMs: number;
}

export interface CacheOptions {
  /** Answers kept at most; 0 keeps none, and still lets equal calls share one flight. */
  readonly maxEntries: number;
  /** Equal keys get equal answers; undefined: neither remembered nor shared. */
  key(call: Call): string | undefined;
  /** How long this answer holds; undefined: not at all. */
  lifetime(call: Call, facts: Facts): Lifetime | undefined;
}

/** A verified decision: a reply, or the function's signed no. */
type Outcome = { readonly reply: Reply } | { readonly denied: AnswerError };

interface Entry {
  readonly outcome: Outcome;
  /** Instants on the `performance.now()` scale: a clock that jumps moves no verdict. */
  readonly freshUntil: number;
  readonly revalidateUntil: number;
  readonly errorUntil: number;
  /** Counts reloads: an entry of an earlier one is stale. */
  readonly epoch: number;
}

function factsOf(outcome: Outcome): Facts | undefined {
  return 'denied' in outcome ? outcome.denied.facts : outcome.reply.facts;
}

function settle(outcome: Outcome): Reply {
  if ('denied' in outcome) throw outcome.denied;
  return outcome.reply;
}

/** May this entry stand in for a function that cannot be asked? */
function isReserve(entry: Entry | undefined): entry is Entry {
  return entry !== undefined && performance.now() < entry.errorUntil;
}

function fromMemory(call: Call, outcome: Outcome, answeredBy: string): Reply {
  const facts = factsOf(outcome);
  if (call.trace) Object.assign(call.trace, { answeredBy, ...(facts ? { facts } : {}) });
  return settle(outcome);
}

/**
 * Remembers verified answers, and lets equal calls share one flight. Lives in memory only.
 *
 * Fresh → from memory; within stale-while-revalidate → from memory, and asked again; failed and within
 * stale-if-error → from memory. A reload makes every entry stale but drops none before a new answer replaced it.
 *
 * Stands above the deadline policy, which ends each flight: the other way round, a call that times out would be
 * refused before its stale answer could be used.
 */
export function cache(options: CacheOptions): Policy {
  const entries =
    options.maxEntries > 0 ? new LRUCache<string, Entry>({ max: options.maxEntries }) : undefined;
  const flights = new Map<string, Promise<Outcome>>();
  let epoch = 0;

  async function ask(next: Handler, call: Call, key: string): Promise<Outcome> {
    const asked = epoch;
    let outcome: Outcome;
    try {
      outcome = { reply: await next(call) };
    } catch (error) {
      // what the locked code said before somebody changed it stands in for nothing any more
      if (error instanceof PluginError && error.code === 'DRIFT') entries?.delete(key);
      if (!(error instanceof AnswerError && error.code === 'DENIED')) throw error;
      outcome = { denied: error };
    }
    // asked before a reload: a later flight may have brought something newer
    if (asked !== epoch) return outcome;
    const facts = factsOf(outcome);
    const lifetime = facts && options.lifetime(call, facts);
    if (lifetime) {
      const freshUntil = performance.now() + lifetime.freshMs;
      entries?.set(key, {
        outcome,
        freshUntil,
        revalidateUntil: freshUntil + lifetime.staleWhileRevalidateMs,
        errorUntil: freshUntil + lifetime.staleIfErrorMs,
        epoch: asked,
      });
    } else {
      entries?.delete(key);
    }
    return outcome;
  }

  /** The flight outlives the caller that began it: others wait for it. Its end is that caller's deadline. */
  function fly(next: Handler, call: Call, key: string): Promise<Outcome> {
    const current = flights.get(key);
    if (current !== undefined) return current;
    const flight = ask(next, { ...call, signal: new AbortController().signal }, key).finally(() => {
      if (flights.get(key) === flight) flights.delete(key);
    });
    flights.set(key, flight);
    return flight;
  }

  /**
   * Waits for the flight under way, or begins one. One that ended for the deadline of the caller that began it says
   * nothing about this call, which may have come much later: it asks for itself, unless memory can answer.
   */
  async function land(
    next: Handler,
    call: Call,
    key: string,
    { signal, entry }: { signal: AbortSignal; entry: Entry | undefined },
  ): Promise<Outcome> {
    const joins = flights.has(key);
    try {
      return await fly(next, call, key);
    } catch (error) {
      const late = error instanceof PluginError && error.code === 'DEADLINE';
      if (!joins || !late || signal.aborted || isReserve(entry)) throw error;
      return await fly(next, call, key);
    }
  }

  return {
    name: 'cache',
    wrap: (next) => async (call) => {
      const key = options.key(call);
      if (key === undefined) return await next(call);
      const entry = entries?.get(key);
      const now = performance.now();
      if (entry?.epoch === epoch) {
        if (now < entry.freshUntil) {
          return fromMemory(call, entry.outcome, 'cache');
        }
        if (now < entry.revalidateUntil) {
          fly(next, call, key).catch(() => undefined);
          return fromMemory(call, entry.outcome, 'cache, being revalidated');
        }
      }
      try {
        return settle(await withinDeadline(call, (signal) => land(next, call, key, { signal, entry })));
      } catch (error) {
        if (!isReserve(entry) || !isUnavailable(error)) throw error;
        return fromMemory(call, entry.outcome, 'cache, stale');
      }
    },
    async reload() {
      epoch += 1;
      // a flight that began before the reload answers only those who wait for it already
      flights.clear();
    },
  };
}
