import { AsyncLocalStorage } from 'node:async_hooks';
import type { Plugin } from '../../functions/kit/index.ts';

/** A clock that is wrong for functions only, in the process in which tests run as well. */
export interface WrongClock {
  /** Added to the time that wrapped plugins see, in ms. */
  offsetMs: number;
  /** The plugin as a machine with this clock would run it. */
  around(plugin: Plugin<object>): Plugin<object>;
  /** `Date.now` as it was. */
  restore(): void;
}

/** Replaces `Date.now`, which is all that the kit reads, where a wrapped plugin runs. */
export function wrongClock(): WrongClock {
  const within = new AsyncLocalStorage<true>();
  const now = Date.now;
  Date.now = () => now() + (within.getStore() ? clock.offsetMs : 0);
  const clock: WrongClock = {
    offsetMs: 0,
    around: (plugin) => ({
      ...plugin,
      fetch: (...args: Parameters<Plugin<object>['fetch']>) => within.run(true, () => plugin.fetch(...args)),
    }),
    restore() {
      Date.now = now;
    },
  };
  return clock;
}
