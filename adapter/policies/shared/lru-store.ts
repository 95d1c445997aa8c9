import { LRUCache } from 'lru-cache';
import type { Entry, Key, Lifetime, Outcome, Store } from './cache.ts';

interface Kept extends Entry {
  readonly outcome: Outcome;
}

/** Answers by the id of their key, whole; the one not used for longest goes first. */
export function lruStore(maxEntries: number): Store<Key, Lifetime, Kept> {
  const entries = new LRUCache<string, Kept>({ max: maxEntries });
  return {
    get: ({ id }) => entries.get(id),
    reserve: ({ id }) => entries.get(id),
    set: ({ id }, outcome, entry) => void entries.set(id, { ...entry, outcome }),
    delete: ({ id }) => void entries.delete(id),
    recall: ({ outcome }) => outcome,
  };
}
