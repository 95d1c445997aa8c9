import { readdirSync, readFileSync } from 'node:fs';
import type { PluginTypeName } from '../../proto/plugin-types.ts';

/** One look at a process. */
export interface Sample {
  readonly atS: number;
  readonly type: PluginTypeName;
  readonly pid: number;
  readonly rssKib: number;
  readonly fds: number;
  /** CPU time of the process so far. */
  readonly cpuS: number;
}

/** USER_HZ of Linux, which every architecture that Node runs on has as 100. */
const ticksPerS = 100;

/** Looks at a process of Linux; undefined when there is none. */
export function sample(type: PluginTypeName, pid: number, atS: number): Sample | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const rssKib = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
    // after the name, which may hold anything: state is field 3, utime 14, stime 15 (proc_pid_stat(5))
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    const cpuS = (Number(fields[11]) + Number(fields[12])) / ticksPerS;
    return { atS, type, pid, rssKib, fds: readdirSync(`/proc/${pid}/fd`).length, cpuS };
  } catch {
    return undefined;
  }
}

/** How the last process of a type fared after it was warm. */
export interface Course {
  readonly type: PluginTypeName;
  readonly samples: number;
  readonly firstMib: number;
  readonly lastMib: number;
  readonly maxMib: number;
  /** Over all of the time: in a part of it, what one collection gives back would decide. */
  readonly kibPerMin: number;
  /** The fewest in the first and in the last third: calls open and close connections all the time, a leak stays. */
  readonly fds: readonly [first: number, last: number];
  readonly cpuS: number;
}

/** The course of each type's last process, from `warmS` after its first sample on. */
export function courses(samples: readonly Sample[], warmS: number): readonly Course[] {
  const types = [...new Set(samples.map(({ type }) => type))];
  return types.flatMap((type): Course[] => {
    const ofType = samples.filter((each) => each.type === type);
    const pid = ofType.at(-1)?.pid;
    const own = ofType.filter((each) => each.pid === pid);
    const startS = (own[0]?.atS ?? 0) + warmS;
    const warm = own.filter(({ atS }) => atS >= startS);
    const [first, last] = [warm[0], warm.at(-1)];
    if (first === undefined || last === undefined) return [];
    const third = Math.ceil(warm.length / 3);
    return [
      {
        type,
        samples: warm.length,
        firstMib: first.rssKib / 1024,
        lastMib: last.rssKib / 1024,
        maxMib: Math.max(...warm.map(({ rssKib }) => rssKib)) / 1024,
        kibPerMin: slope(warm.map(({ atS, rssKib }) => [atS / 60, rssKib])),
        fds: [fewest(warm.slice(0, third)), fewest(warm.slice(-third))],
        cpuS: cpuOf(ofType),
      },
    ];
  });
}

/** Of all processes that the type had. */
function cpuOf(samples: readonly Sample[]): number {
  const last = new Map(samples.map(({ pid, cpuS }) => [pid, cpuS]));
  return [...last.values()].reduce((sum, each) => sum + each, 0);
}

function fewest(samples: readonly Sample[]): number {
  return Math.min(...samples.map(({ fds }) => fds));
}

/**
 * Of the line through these points, as the median of the slopes between any two (Theil-Sen): what a collection gives back
 * and takes again in between does not turn it. 0 for fewer than two.
 */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const slopes = points.flatMap(([x, y], index) =>
    points.slice(index + 1).flatMap(([laterX, laterY]) => (laterX > x ? [(laterY - y) / (laterX - x)] : [])),
  );
  return slopes.sort((a, b) => a - b)[Math.floor(slopes.length / 2)] ?? 0;
}
