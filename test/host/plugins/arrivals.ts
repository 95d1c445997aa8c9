/** What reached the handlers of a function, oldest first. */
export interface Arrivals {
  readonly all: readonly Arrival[];
  /** Called by handlers. */
  add(rpc: string, input: object): void;
  /** What came last; throws where nothing did. */
  last(): Arrival;
}

/** One call of a handler. */
export interface Arrival {
  readonly rpc: string;
  /** What the kit gave to the handler. */
  readonly input: object;
}

/** An empty record of arrivals. */
export function newArrivals(): Arrivals {
  const all: Arrival[] = [];
  return {
    all,
    add(rpc, input) {
      all.push({ rpc, input });
    },
    last() {
      const last = all.at(-1);
      if (last === undefined) throw new Error('nothing reached the function');
      return last;
    },
  };
}
