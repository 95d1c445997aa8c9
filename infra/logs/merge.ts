import { setTimeout as sleep } from 'node:timers/promises';
import type { LogLine, LogSource } from './line.ts';

/** Clouds show a line some seconds after it was written: this far back is looked again. */
const overlapMs = 60_000;

/** What of the sources is read, and for how long. */
export interface ReadOptions {
  /** Since when, in ms since 1970. */
  readonly fromMs: number;
  /** Time between two looks; absent: one look. */
  readonly followEveryMs?: number;
  /** Ends the following. */
  readonly signal?: AbortSignal;
}

/**
 * The lines of all sources, each once, in batches sorted by time. Without `followEveryMs` there is one batch; with it
 * they come until `signal`, and a line that a cloud shows late comes late.
 */
export async function* mergedLines(
  sources: readonly LogSource[],
  { fromMs, followEveryMs, signal }: ReadOptions,
): AsyncGenerator<readonly LogLine[]> {
  const seen = new Map<string, number>();
  let sinceMs = fromMs;
  for (;;) {
    const untilMs = Date.now();
    const lines = (await Promise.all(sources.map((source) => source.read(sinceMs, untilMs)))).flat();
    const fresh = lines.filter(({ function: name, id }) => !seen.has(`${name} ${id}`));
    for (const { function: name, id, atMs } of fresh) seen.set(`${name} ${id}`, atMs);
    yield fresh.sort((a, b) => a.atMs - b.atMs || (a.function < b.function ? -1 : 1));
    if (followEveryMs === undefined) return;
    sinceMs = Math.max(fromMs, untilMs - overlapMs);
    for (const [id, atMs] of seen) if (atMs < sinceMs) seen.delete(id);
    try {
      await sleep(followEveryMs, undefined, signal === undefined ? {} : { signal });
    } catch {
      return;
    }
  }
}
