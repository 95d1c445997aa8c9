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

const sizes: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** A size with its unit in a config file, read as bytes. */
export function byteSize(limits: { minBytes?: number; maxBytes?: number } = {}) {
  const { minBytes = 0, maxBytes = Number.MAX_SAFE_INTEGER } = limits;
  const expected = 'expected a size with its unit: 512KiB, 128MiB, 1GiB';
  return z
    .string({ error: expected })
    .regex(/^\d{1,9}(B|KiB|MiB|GiB)$/, expected)
    .transform((text) => Number.parseInt(text, 10) * (sizes[text.replace(/^\d+/, '')] ?? Number.NaN))
    .pipe(
      z
        .number()
        .min(minBytes, `expected at least ${minBytes} bytes`)
        .max(maxBytes, `expected at most ${maxBytes} bytes`),
    );
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
