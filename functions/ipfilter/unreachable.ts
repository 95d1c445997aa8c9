import { type Column, isEverywhere, isPlain, type RuleIndex } from './compile.ts';
import { coveredBy } from './covered.ts';
import type { RuleNode } from './network-tree.ts';
import { isPrivateNetwork } from './private.ts';
import type { BundledLists, CheckedRule, Rules } from './rules.ts';

/**
 * What is probably not meant, a sentence each: rules that can never match. Earlier rules take their addresses (all of
 * them by networks, each of their countries, AS numbers or lists, or one by all of its conditions), or nothing is left
 * to match.
 */
export function warningsOf(
  list: Rules,
  rules: readonly CheckedRule[],
  indexes: ReadonlyMap<Column, RuleIndex>,
  bundled: BundledLists,
): readonly string[] {
  const taken = takenElsewhere(rules, list.unknown);
  const covered = coveredBy(rules, list.unknown);
  const alive = reachedRules(indexes);
  return rules.flatMap((rule, index) => {
    const never = (why: string) => [`rules[${index}] can never match: ${why}`];
    if (rule.networks?.every(isPrivateNetwork)) {
      if (list.private === 'allow' || list.private === 'deny') {
        return never(`its networks are private, and private is ${list.private}`);
      }
      if (rule.countries !== undefined || rule.asns !== undefined) {
        return never('its networks are private, and belong to no country and no AS');
      }
    }
    if (rule.lists?.every((name) => bundled.get(name)?.size === 0)) return never('its lists are empty');
    const by = taken(index);
    if (by !== undefined) return never(by);
    const cover = covered(index);
    if (cover !== undefined) return never(`rules[${cover}] has the same conditions, or wider ones`);
    if (!alive.has(index)) return never('earlier rules decide for all of its addresses');
    if (
      rule.action === 'continue' &&
      list.rules[index]?.reason === undefined &&
      list.rules[index]?.for === undefined
    ) {
      return [`rules[${index}] changes nothing: a rule that continues has a reason or a for`];
    }
    return [];
  });
}

/** The rules that some address gets to, by networks and protocols alone. */
function reachedRules(indexes: ReadonlyMap<Column, RuleIndex>): ReadonlySet<number> {
  const reached = new Set<number>();
  for (const { tree, byCountry, byAsn, byList, rest } of new Set(indexes.values())) {
    for (const filed of [...byCountry.of.values(), ...byAsn.of.values(), byList, rest]) {
      for (const index of filed) if (index <= tree.lastDecided) reached.add(index);
    }
    for (const node of tree.nodes()) addChain(node, reached);
  }
  return reached;
}

function addChain(node: RuleNode, reached: Set<number>): void {
  for (let at: RuleNode | undefined = node; at !== undefined; at = at.parent) {
    for (const index of at.rules) if (index <= node.decided) reached.add(index);
  }
}

/** Says by which earlier rules without networks and protocols each condition of a rule is taken. */
function takenElsewhere(
  rules: readonly CheckedRule[],
  unknown: Rules['unknown'],
): (index: number) => string | undefined {
  const first = {
    countries: new Map<string, number>(),
    asns: new Map<number, number>(),
    lists: new Map<string, number>(),
  };
  /** The first deny rule of each kind: where `unknown` is deny, it takes whoever is of no country, or of no AS. */
  const denying = { countries: Number.POSITIVE_INFINITY, asns: Number.POSITIVE_INFINITY };
  for (const [index, rule] of rules.entries()) {
    if (rule.action === 'continue' || rule.protocols !== undefined || !isEverywhere(rule)) continue;
    const { countries, asns, lists } = rule;
    const conditions = [countries, asns, lists].filter((condition) => condition !== undefined);
    if (conditions.length !== 1) continue;
    note(first.countries, countries, index);
    note(first.asns, asns, index);
    note(first.lists, lists, index);
    if (rule.action !== 'deny') continue;
    if (countries !== undefined) denying.countries = Math.min(denying.countries, index);
    if (asns !== undefined) denying.asns = Math.min(denying.asns, index);
  }
  return (index) => {
    const rule = rules[index];
    if (rule === undefined || isPlain(rule)) return undefined;
    const seesUnknown = unknown === 'deny' && rule.action === 'deny';
    const located = (kind: 'countries' | 'asns') => !seesUnknown || denying[kind] < index;
    return (
      (located('countries') ? by(first.countries, rule.countries, index, 'country') : undefined) ??
      (located('asns') ? by(first.asns, rule.asns, index, 'AS number') : undefined) ??
      by(first.lists, rule.lists, index, 'list')
    );
  };
}

function note<K>(first: Map<K, number>, keys: Iterable<K> | undefined, index: number): void {
  for (const key of keys ?? []) if (!first.has(key)) first.set(key, index);
}

function by<K>(
  first: ReadonlyMap<K, number>,
  keys: Iterable<K> | undefined,
  index: number,
  what: string,
): string | undefined {
  if (keys === undefined) return undefined;
  const takers = [...keys].map((key) => first.get(key) ?? index);
  if (takers.length === 0 || takers.some((taker) => taker >= index)) return undefined;
  const names = [...new Set(takers)].sort((a, b) => a - b).map((taker) => `rules[${taker}]`);
  return `${names.slice(0, 5).join(', ')} decide${names.length === 1 ? 's' : ''} for every ${what} of it`;
}
