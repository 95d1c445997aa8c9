import type { Benched, BenchLoad, LaunchedPlugin } from '../host/driver.ts';
import { cpuMicros, median } from './measure.ts';

/** So many callers at once, each with so many calls one after the other. */
export interface Amount {
  readonly calls: number;
  readonly parallel: number;
}

/** How calls went, and what one cost the process in µs of processor time. */
export type Loaded = Omit<Benched, 'codes'> & {
  readonly cpuUs: number;
  /** Share of the calls of all rounds that ended otherwise than they should. */
  readonly failedShare: number;
};

/** Something that can be put under load. */
export interface Party {
  readonly pid: number;
  /** `failed`: how many ended otherwise than they should; absent: none. */
  run(amount: Amount): Promise<Omit<Benched, 'codes'> & { readonly failed?: number }>;
}

/** A run with more failures measures something else. Fewer are counted, and shown by the groups that can have some. */
const maxFailedShare = 0.01;

/** A plugin behind a Go host; throws when calls did not end as `code` says. */
export function pluginParty(
  plugin: LaunchedPlugin,
  load: Omit<BenchLoad, 'calls' | 'parallel'>,
  code = 'OK',
): Party {
  return {
    pid: plugin.pid,
    async run(amount) {
      const figures = await plugin.bench({ ...load, ...amount });
      const all = amount.calls * amount.parallel;
      const failed = all - (figures.codes[code] ?? 0);
      if (failed > all * maxFailedShare) throw new Error(`not ${code}: ${JSON.stringify(figures)}`);
      if (failed > 0) {
        const said = (await plugin.logs()).filter(({ level }) => level === 'warn' || level === 'error');
        process.stderr.write(`not all ${code}: ${JSON.stringify(figures.codes)}\n`);
        for (const { message } of said.slice(-5)) process.stderr.write(`  ${message}\n`);
      }
      return { ...figures, failed };
    },
  };
}

async function measured(party: Party, amount: Amount): Promise<Loaded> {
  const before = await cpuMicros(party.pid);
  const { failed = 0, ...figures } = await party.run(amount);
  const all = amount.calls * amount.parallel;
  return { ...figures, failedShare: failed / all, cpuUs: ((await cpuMicros(party.pid)) - before) / all };
}

/** Rounds that are not counted: V8 compiles what is hot, and a server runs for weeks. */
const warmUps = 5;

/**
 * Each party under each load, in turn and several times, so that a drifting machine drifts for all. Resolves with the
 * medians by party and load.
 */
export async function inTurn<P extends string, L extends string>(
  parties: Readonly<Record<P, Party>>,
  amounts: Readonly<Record<L, Amount>>,
  rounds: number,
): Promise<Record<P, Record<L, Loaded>>> {
  const seen = new Map<string, Loaded[]>();
  for (let round = rounds > 1 ? -warmUps : -1; round < rounds; round += 1) {
    for (const [load, amount] of Object.entries<Amount>(amounts)) {
      for (const [name, party] of Object.entries<Party>(parties)) {
        const figures = await measured(party, amount);
        const key = `${name}\n${load}`;
        if (round >= 0) seen.set(key, [...(seen.get(key) ?? []), figures]);
      }
    }
  }
  const names = Object.keys(parties) as P[];
  const loads = Object.keys(amounts) as L[];
  const of = (name: P, load: L) => medians(seen.get(`${name}\n${load}`) ?? []);
  return Object.fromEntries(
    names.map((name) => [name, Object.fromEntries(loads.map((load) => [load, of(name, load)]))]),
  ) as Record<P, Record<L, Loaded>>;
}

function medians(all: readonly Loaded[]): Loaded {
  const of = (key: keyof Loaded) => median(all.map((each) => each[key]));
  return {
    p50Micros: of('p50Micros'),
    p99Micros: of('p99Micros'),
    perSecond: of('perSecond'),
    cpuUs: of('cpuUs'),
    // the mean: a median would hide what happens in one round
    failedShare: all.reduce((sum, each) => sum + each.failedShare, 0) / all.length,
  };
}
