import type { Ban, Limit } from './store.ts';

/** Networks whose offences are remembered in one place; beyond it, the one that was quiet longest is forgotten. */
export const maxCounted = 10_000;

/**
 * The times of a network's offences with one more, without those that have left the window. Times lie in the
 * future after a clock was set back: they count until the clock is there again, at most one window.
 */
export function withOffence(times: readonly number[], nowMs: number, { attempts, perMs }: Limit): number[] {
  const recent = times.filter((timeMs) => Math.abs(nowMs - timeMs) < perMs);
  return [...recent, nowMs].slice(-attempts);
}

/** The ban that a network gets for too many offences. */
export function banFor(network: string, reason: string, limit: Limit, nowMs: number): Ban {
  const text = `${limit.attempts} in ${Math.round(limit.perMs / 1000)} s: ${reason}`;
  return { network, untilMs: nowMs + limit.forMs, reason: text.slice(0, 200), by: 'rate' };
}

/**
 * Counts offences in the memory of one instance, for a store that cannot. The same instance knows the nonces of its
 * calls, so a replay does not count.
 */
export class OffenceCounter {
  readonly #times = new Map<string, number[]>();

  /** Counts one more; gives the number within the window, or 0 when the limit is reached, and then begins anew. */
  count(network: string, limit: Limit, nowMs: number): number {
    const times = withOffence(this.#times.get(network) ?? [], nowMs, limit);
    // deleted and set: the map's order is that of the last offence
    this.#times.delete(network);
    if (times.length >= limit.attempts) return 0;
    this.#times.set(network, times);
    const [quiet] = this.#times.keys();
    if (this.#times.size > maxCounted && quiet !== undefined) this.#times.delete(quiet);
    return times.length;
  }
}
