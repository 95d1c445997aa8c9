import type { Protocol } from '../kit/verdict.ts';
import { NetworkTree } from './network-tree.ts';
import type { CheckedRule } from './rules.ts';

/** A protocol as a rule list can be asked about it: one of SFTPGo's, none (''), or one yet to come. */
export type Column = Protocol | '' | 'other';

/** Every kind of question there is. */
export const columns: readonly Column[] = ['SSH', 'FTP', 'DAV', 'HTTP', '', 'other'];

/** The column of a protocol as the host names it. */
export function columnOf(protocol: string): Column {
  return columns.find((column) => column === protocol && column !== 'other') ?? 'other';
}

/**
 * Does the rule count for this protocol? SFTPGo up to 2.4 does not say which protocol it asks about: then a deny
 * for some protocols counts, an allow for some does not, so that doubt never lets anyone in.
 */
export function applies(rule: CheckedRule | undefined, column: Column): boolean {
  if (rule?.protocols === undefined) return rule !== undefined;
  if (column === '') return rule.action === 'deny';
  return rule.protocols.some((protocol) => protocol === column);
}

/**
 * The rules that count for one protocol, each filed once under its most selective condition: so a decision looks
 * at the few rules that can match, however many there are. All lists of indices ascend.
 */
export interface RuleIndex {
  /** Rules with networks. */
  readonly tree: NetworkTree;
  /** Rules with countries and no networks, by country. */
  readonly byCountry: Filed<string>;
  /** Rules with AS numbers, and neither networks nor countries, by number. */
  readonly byAsn: Filed<number>;
  /** Rules with lists and nothing of the above. */
  readonly byList: readonly number[];
  /** Rules that match every address: nothing comes after the first of them that decides. */
  readonly rest: readonly number[];
}

/** Indices of rules under a key. */
export interface Filed<K> {
  readonly of: ReadonlyMap<K, readonly number[]>;
  /** The lowest of all indices; infinite without any. */
  readonly first: number;
  /** The deny rules among them: what counts for an address without a key, where `unknown` is deny. */
  readonly denying: readonly number[];
  /** All of them but those that continue. */
  readonly deciding: readonly number[];
}

/** Makes an index for each column; columns with the same rules share one. */
export function compile(rules: readonly CheckedRule[]): ReadonlyMap<Column, RuleIndex> {
  const built = new Map<string, RuleIndex>();
  return new Map(
    columns.map((column) => {
      const indices = [...rules.keys()].filter((index) => applies(rules[index], column));
      const key = indices.join();
      const made = built.get(key) ?? indexOf(rules, indices);
      built.set(key, made);
      return [column, made];
    }),
  );
}

/** Has the rule a condition besides networks and protocols, or does it decide by them alone? */
export function isPlain({ lists, countries, asns }: CheckedRule): boolean {
  return lists === undefined && countries === undefined && asns === undefined;
}

/** Do its networks hold every address? */
export function isEverywhere({ networks }: CheckedRule): boolean {
  if (networks === undefined) return true;
  return ([4, 6] as const).every((family) =>
    networks.some((network) => network.family === family && network.length === 0),
  );
}

function indexOf(rules: readonly CheckedRule[], indices: readonly number[]): RuleIndex {
  const ruleAt = (index: number): CheckedRule => rules[index] as CheckedRule;
  const last = indices.find((index) => {
    const rule = ruleAt(index);
    return rule.action !== 'continue' && isPlain(rule) && isEverywhere(rule);
  });
  const live = last === undefined ? indices : indices.filter((index) => index <= last);
  const somewhere = live.filter((index) => !isEverywhere(ruleAt(index)));
  const everywhere = live.filter((index) => isEverywhere(ruleAt(index)));
  const withCountries = everywhere.filter((index) => ruleAt(index).countries !== undefined);
  const withAsns = everywhere.filter(
    (index) => ruleAt(index).countries === undefined && ruleAt(index).asns !== undefined,
  );
  return {
    tree: new NetworkTree(
      somewhere.map((index) => ({
        index,
        networks: ruleAt(index).networks ?? [],
        decides: ruleAt(index).action !== 'continue' && isPlain(ruleAt(index)),
      })),
    ),
    byCountry: file(withCountries, (index) => ruleAt(index).countries ?? []),
    byAsn: file(withAsns, (index) => ruleAt(index).asns ?? []),
    byList: everywhere.filter((index) => {
      const { countries, asns, lists } = ruleAt(index);
      return countries === undefined && asns === undefined && lists !== undefined;
    }),
    rest: everywhere.filter((index) => isPlain(ruleAt(index))),
  };

  function file<K>(filed: readonly number[], keysOf: (index: number) => Iterable<K>): Filed<K> {
    const of = new Map<K, number[]>();
    for (const index of filed) {
      for (const key of keysOf(index)) {
        const list = of.get(key);
        if (list === undefined) of.set(key, [index]);
        else list.push(index);
      }
    }
    return {
      of,
      first: filed[0] ?? Number.POSITIVE_INFINITY,
      denying: filed.filter((index) => ruleAt(index).action === 'deny'),
      deciding: filed.filter((index) => ruleAt(index).action !== 'continue'),
    };
  }
}
