import { PluginError } from '../../proto/error.ts';
import { type Duration, durationMs } from '../kit/duration.ts';

/** A mistake in the configuration, with its place. */
export function invalid(happened: string, expected: string, remedy: string): PluginError {
  return new PluginError('CONFIG_INVALID', { happened, expected, remedy });
}

/** Adds the place to what `read` complains about. */
export function within<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    throw invalid(`${place}: ${error.happened}`, error.expected, error.remedy);
  }
}

/** Refuses a value that is no object, and one with a key of another name. */
export function checkKeys(value: object, known: readonly string[], place: string): void {
  if (typeof value !== 'object' || value === null) {
    throw invalid(`${place} is not an object`, `an object with ${known.join(', ')}`, 'See the example.');
  }
  const odd = Object.keys(value).find((key) => !known.includes(key));
  if (odd !== undefined) throw invalid(`${place} has a key '${odd}'`, known.join(', '), 'Correct its name.');
}

/** Refuses a value that is none of the words. */
export function checkWord(value: unknown, words: readonly string[], place: string, remedy: string): void {
  if (typeof value === 'string' && words.includes(value)) return;
  const expected = `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
  throw invalid(`${place} is ${value === undefined ? 'missing' : 'neither'}`, expected, remedy);
}

export function checkList(list: readonly unknown[], place: string): void {
  if (!Array.isArray(list)) throw invalid(`${place} is not a list`, 'a list', 'Write it in brackets: [ … ].');
}

/** Refuses a list that is empty, or that has an entry which `isGood` refuses. */
export function checkEntries(
  list: readonly unknown[],
  place: string,
  isGood: (entry: unknown) => boolean,
  what: { readonly not: string; readonly expected: string; readonly remedy: string },
): void {
  checkList(list, place);
  const bad = list.findIndex((entry) => !isGood(entry));
  if (list.length > 0 && bad < 0) return;
  throw invalid(
    list.length === 0 ? `${place} is empty` : `${place}[${bad}] is ${what.not}`,
    what.expected,
    what.remedy,
  );
}

export function checkDuration(duration: Duration | undefined, place: string): void {
  if (duration !== undefined) within(place, () => durationMs(duration));
}
