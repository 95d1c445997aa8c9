import { parseNetworkList } from '../../proto/net/network-list.ts';
import type { NetworkSet } from '../../proto/net/network-set.ts';
import { durationMs } from '../kit/duration.ts';
import type { Context } from '../kit/index.ts';
import { within } from './config-check.ts';
import { type Database, openAsns, openCountries } from './mmdb/database.ts';
import type { Rules } from './rules.ts';
import { type Kept, keep } from './source/keep.ts';
import { joined, usedUp } from './source/read.ts';
import type { ListSource, Source } from './source/source.ts';

/** Everything that a rule list reads from elsewhere. */
export interface Sources<Env> {
  readonly lists: ReadonlyMap<string, Kept<NetworkSet, Env>>;
  readonly country: Kept<Database<string>, Env> | undefined;
  readonly asn: Kept<Database<number>, Env> | undefined;
  /** The lists that stand in the bundle. */
  readonly bundled: ReadonlyMap<string, NetworkSet>;
  /** Lines of those lists that were left out, in words. */
  readonly warnings: readonly string[];
  /** Reads all of them now. Returns what could not be read, in words. */
  refresh(context: Context<Env>): Promise<readonly string[]>;
}

const defaultEvery = '10m';

/**
 * Prepares the sources of a checked rule list. What stands in the bundle is read here, so that a mistake in it
 * stops the build; nothing else is read before an address needs it.
 *
 * @throws PluginError CONFIG_INVALID for a list or database in the bundle that cannot be used
 */
export function sourcesOf<Env>({ lists = {}, databases = {} }: Rules): Sources<Env> {
  const bundled = new Map<string, NetworkSet>();
  const warnings: string[] = [];
  const keptLists = new Map(
    Object.entries(lists).map(([name, source]) => {
      const parse = listParser(name, source);
      const initial = inBundle(`lists.${name}`, source, (bytes) =>
        parse([bytes], (message) => warnings.push(message)),
      );
      if (initial !== undefined) bundled.set(name, initial);
      return [name, kept(`list ${name}`, source, parse, initial)];
    }),
  );
  const country = databases.country && database('country', databases.country, openCountries);
  const asn = databases.asn && database('asn', databases.asn, openAsns);
  return {
    lists: keptLists,
    country,
    asn,
    bundled,
    warnings,
    async refresh(context) {
      const all = [...keptLists.values(), country, asn].filter((source) => source !== undefined);
      const held = await Promise.all(
        all.map(async (source) => ({ name: source.name, held: await source.refresh(context) })),
      );
      return held.flatMap(({ name, held: { problem } }) =>
        problem === undefined ? [] : [`${name}: ${problem}`],
      );
    },
  };

  function database<T>(
    name: string,
    source: Source,
    open: (bytes: Uint8Array) => Database<T>,
  ): Kept<Database<T>, Env> {
    const initial = inBundle(`databases.${name}`, source, open);
    return kept(`database ${name}`, source, (pieces) => open(joined(pieces)), initial);
  }

  function kept<T>(
    name: string,
    source: Source,
    parse: (pieces: Uint8Array[], warn: (message: string) => void) => T,
    initial: T | undefined,
  ): Kept<T, Env> {
    const everyMs =
      initial === undefined ? durationMs(source.every ?? defaultEvery) : Number.POSITIVE_INFINITY;
    return keep(name, source, everyMs, parse, initial);
  }
}

function listParser(name: string, { onBrokenLine = 'refuse' }: ListSource) {
  return (pieces: Uint8Array[], warn: (message: string) => void): NetworkSet => {
    const { networks, skipped } = parseNetworkList(usedUp(pieces), { onBrokenLine });
    if (skipped.length > 0) {
      const lines = skipped.slice(0, 10).join(', ');
      warn(
        `list ${name}: left out what is no network in line ${lines}${skipped.length > 10 ? ' and more' : ''}`,
      );
    }
    return networks;
  };
}

function inBundle<T>(place: string, source: Source, parse: (bytes: Uint8Array) => T): T | undefined {
  if ('text' in source) return within(place, () => parse(new TextEncoder().encode(source.text)));
  if ('bytes' in source) return within(place, () => parse(new Uint8Array(source.bytes)));
  return undefined;
}
