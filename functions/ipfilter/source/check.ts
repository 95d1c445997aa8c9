import { durationMs } from '../../kit/duration.ts';
import { checkDuration, checkKeys, checkWord, invalid } from '../config-check.ts';
import { isSafe } from './read.ts';
import { type ListSource, placeKeys, type Source } from './source.ts';

/** @throws PluginError CONFIG_INVALID, naming the place */
export function checkLists(lists: Readonly<Record<string, ListSource>>): void {
  checkKeys(lists, Object.keys(lists ?? {}), 'lists');
  for (const [name, source] of Object.entries(lists)) {
    if (!/^[\w-]{1,40}$/.test(name)) {
      throw invalid(
        `lists has the name '${name.slice(0, 60)}'`,
        'letters, digits, - and _',
        'Choose another name.',
      );
    }
    checkSource(source, `lists.${name}`, ['onBrokenLine']);
    if (source.onBrokenLine === undefined) continue;
    checkWord(
      source.onBrokenLine,
      ['refuse', 'skip'],
      `lists.${name}.onBrokenLine`,
      'Leave it out: a list with a broken line is refused, and the last good one stays.',
    );
  }
}

/** @throws PluginError CONFIG_INVALID, naming the place */
export function checkDatabases(databases: { readonly country?: Source; readonly asn?: Source }): void {
  checkKeys(databases, ['country', 'asn'], 'databases');
  for (const [name, source] of Object.entries(databases)) {
    if (source !== undefined) checkSource(source, `databases.${name}`, []);
  }
}

function checkSource(source: Source, place: string, more: readonly string[]): void {
  const given = typeof source === 'object' && source !== null ? Object.keys(source) : [];
  const kinds = placeKeys.filter(([first]) => given.includes(first ?? ''));
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    throw invalid(
      `${place} ${kind === undefined ? 'does not say where it comes from' : 'comes from two places'}`,
      `one of ${placeKeys.map((keys) => keys.join(' with ')).join(', ')}`,
      "Write for example { kv: 'LISTS', key: 'abuse.txt' }.",
    );
  }
  checkKeys(source, [...kind, 'every', ...more], place);
  checkDuration(source.every, `${place}.every`);
  if (source.every !== undefined && durationMs(source.every) === 0) {
    throw invalid(`${place}.every is no time`, 'at least 1s', "Write every: '10m'.");
  }
  const fields = source as unknown as Readonly<Record<string, unknown>>;
  for (const key of kind) {
    if (!isGood(key, fields[key]))
      throw invalid(`${place}.${key} is ${describe(fields[key])}`, expected(key), remedy(key));
  }
}

function isGood(key: string, value: unknown): boolean {
  if (key === 'read') return typeof value === 'function';
  if (key === 'bytes') return value instanceof Uint8Array || value instanceof ArrayBuffer;
  if (typeof value !== 'string' || (value === '' && key !== 'text')) return false;
  if (key === 'url') return URL.canParse(value) && isSafe(value);
  return key !== 'path' || value.startsWith('/');
}

function describe(value: unknown): string {
  return value === undefined ? 'missing' : 'not what it must be';
}

function expected(key: string): string {
  if (key === 'url') return 'an https address';
  if (key === 'bytes') return 'a Uint8Array or an ArrayBuffer';
  if (key === 'read') return 'a function';
  return key === 'path' ? 'a path that begins with /' : 'text';
}

function remedy(key: string): string {
  return key === 'url' ? 'Lists decide who comes in: take them over TLS only.' : 'See docs/ipfilter.md.';
}
