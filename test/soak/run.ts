import { setTimeout as sleep } from 'node:timers/promises';
import type { PluginTypeName } from '../../proto/plugin-types.ts';
import { buildHost } from '../host/build.ts';
import { startHost } from '../host/driver.ts';
import { startAdapters } from './adapters.ts';
import { type Event, fileEvents, hostEvents, outsideEvents } from './events.ts';
import { startGround } from './ground.ts';
import { type Closing, Ledger } from './ledger.ts';
import { question } from './questions.ts';
import { type Course, courses, type Sample, sample } from './samples.ts';

export interface SoakOptions {
  readonly minutes: number;
  /** Calls a second, about; the answers of some bring another call. */
  readonly rate: number;
  readonly say: (text: string) => void;
}

/** What a soak came to. */
export interface Soaked {
  readonly minutes: number;
  readonly calls: number;
  readonly closing: Closing;
  readonly courses: readonly Course[];
  readonly samples: readonly Sample[];
  /** How often each event happened. */
  readonly events: ReadonlyMap<string, number>;
  /** What must not be, in words; empty if all is well. */
  readonly problems: readonly string[];
}

/** Descriptors may become more by so many: sockets to a function that nothing has closed yet. */
const fdsThatMove = { long: 4, short: 40 } as const;
/** A run that says something of memory and descriptors, in minutes. */
const longRun = 20;
/** What garbage collection leaves or takes in such a run; 150 KiB for each file that is edited are more. */
const maxKibPerMin = 384;
const sampleS = 5;

/** Runs it: questions all the time, events in three lanes beside them, and the books at the end. */
export async function soak({ minutes, rate, say }: SoakOptions): Promise<Soaked> {
  const ledger = new Ledger();
  const ground = await startGround((type, rpc, n) => ledger.told(type, rpc, n));
  const host = startHost(await buildHost('v016'));
  const problems: string[] = [];
  const events = new Map<string, number>();
  const samples: Sample[] = [];
  try {
    const adapters = await startAdapters(host, ground, ledger);
    const startedMs = performance.now();
    const elapsedS = () => (performance.now() - startedMs) / 1000;
    const totalS = minutes * 60;
    // in this share of the time every adapter is killed once; its last process is watched for the rest
    const restartsUntilS = totalS / 4;
    const isOn = (leftS = 0) => elapsedS() < totalS - leftS;

    const look = () => {
      for (const [type, pid] of adapters.pids) {
        const seen = sample(type, pid, elapsedS());
        if (seen) samples.push(seen);
      }
    };
    const sampler = setInterval(look, sampleS * 1000);

    const happen = async ({ title, run }: Event) => {
      say(`${elapsedS().toFixed(0)} s: ${title}`);
      events.set(title, (events.get(title) ?? 0) + 1);
      await run();
    };
    const lane = async (all: readonly Event[], pauseMs: number, leftS: number) => {
      for (let round = 0; isOn(leftS); round += 1) {
        for (const event of turned(all, round)) {
          if (!isOn(leftS)) break;
          await happen(event);
          await sleep(pauseMs);
        }
      }
    };
    const { reloads, restarts } = hostEvents(adapters);
    const restarting = async () => {
      for (const [index, event] of restarts.entries()) {
        await sleep(Math.max(0, ((index + 1) * restartsUntilS) / (restarts.length + 1) - elapsedS()) * 1000);
        await happen(event);
      }
    };
    const asking = async () => {
      const open = new Set<Promise<void>>();
      for (let n = 0; isOn(); n += 1) {
        const one: Promise<void> = adapters.ask(question(n)).finally(() => open.delete(one));
        open.add(one);
        one.catch((error: unknown) => problems.push(String(error)));
        // not faster than the clock: what a busy machine delayed is made up for
        await sleep(Math.max(0, ((n + 1) / rate - elapsedS()) * 1000));
      }
      await Promise.all(open);
    };
    const quick = totalS < 120;
    await Promise.all([
      asking(),
      restarting(),
      lane(outsideEvents(ground, adapters), quick ? 200 : 4000, 8),
      lane(fileEvents(ground), quick ? 0 : 8000, 14),
      lane([reloads], quick ? 5000 : 20_000, 3),
    ]);
    clearInterval(sampler);
    look();

    for (const type of await adapters.crashed()) problems.push(`the adapter of ${type} has ended`);
    for (const [type, seq] of await adapters.settle()) {
      if (seq !== ground.files.seq)
        problems.push(`${type}: lock seq ${seq} is in force, not ${ground.files.seq}`);
    }
    // what functions have written is on its way
    await sleep(1000);
    const closing = ledger.close();
    problems.push(...closing.differences);
    const after = courses(samples, warmOf(totalS));
    const isLong = minutes >= longRun;
    for (const { type, fds, kibPerMin } of after) {
      const moves = isLong ? fdsThatMove.long : fdsThatMove.short;
      if (fds[1] > fds[0] + moves) problems.push(`${type}: ${fds[0]} descriptors became ${fds[1]}`);
      if (isLong && kibPerMin > maxKibPerMin)
        problems.push(`${type}: memory grows by ${kibPerMin.toFixed(0)} KiB/min`);
    }
    const missing = ledger.calls < (totalS * rate) / 4;
    if (missing) problems.push(`only ${ledger.calls} calls were made`);
    return { minutes, calls: ledger.calls, closing, courses: after, samples, events, problems };
  } finally {
    await host.close();
    await ground.close();
  }
}

/** After its start a process takes what its code and its connections need: five minutes, or a sixth of a short run. */
export function warmOf(totalS: number): number {
  return Math.min(300, totalS / 6);
}

/** Another order in every round: the same events meet in other ways. */
function turned<T>(all: readonly T[], round: number): readonly T[] {
  const step = [7, 5, 11, 13][round % 4] ?? 1;
  return all.map(
    (_, index) => all[(index * (gcd(step, all.length) === 1 ? step : 1) + round) % all.length] as T,
  );
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** Types in the order of their processes, for reports. */
export function typesOf(samples: readonly Sample[]): readonly PluginTypeName[] {
  return [...new Set(samples.map(({ type }) => type))];
}
