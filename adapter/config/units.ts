import * as z from 'zod';

const durations: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Text with a unit (`800ms`, `30s`, `5m`, `1h`, `7d`) to milliseconds; undefined when it is none. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  const factor = durations[match?.[2] ?? ''];
  return match?.[1] === undefined || factor === undefined ? undefined : Number(match[1]) * factor;
}

/** A duration with its unit in a config file, read as milliseconds. */
export function duration(limits: { minMs?: number; maxMs?: number } = {}) {
  const { minMs = 0, maxMs = Number.MAX_SAFE_INTEGER } = limits;
  const expected = 'expected a duration with its unit: 800ms, 30s, 5m, 1h';
  return z
    .string({ error: expected })
    .regex(/^\d{1,9}(ms|s|m|h|d)$/, expected)
    .transform((text) => parseDurationMs(text) ?? Number.NaN)
    .pipe(z.number().min(minMs, `expected at least ${minMs} ms`).max(maxMs, `expected at most ${maxMs} ms`));
}
