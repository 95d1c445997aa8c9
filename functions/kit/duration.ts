import { PluginError } from '../../proto/error.ts';

/** A length of time with its unit: `'30s'`, `'5m'`, `'1h'`. */
export type Duration = `${number}s` | `${number}m` | `${number}h`;

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * Reads a duration: whole seconds, minutes or hours. Bare numbers are refused, because half of the readers
 * take them for milliseconds.
 *
 * @returns milliseconds
 * @throws PluginError INPUT_INVALID
 */
export function durationMs(text: Duration): number {
  const match = typeof text === 'string' ? /^(\d{1,6})([smh])$/.exec(text) : null;
  if (match === null) {
    throw new PluginError('INPUT_INVALID', {
      happened: `the duration ${JSON.stringify(text) ?? typeof text} cannot be read`,
      expected: 'a whole number with its unit s, m or h',
      remedy: "Write for example '30s', '5m' or '1h'.",
    });
  }
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
}
