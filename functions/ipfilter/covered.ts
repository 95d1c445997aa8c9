import { contains, formatPrefix, prefixOf } from '../../proto/net/prefix.ts';
import { applies, columns, isEverywhere, isPlain } from './compile.ts';
import type { CheckedRule, Rules } from './rules.ts';

/**
 * Finds the one earlier rule that decides whatever a rule is about, by all of their conditions together. Of rules
 * without lists, countries and AS numbers the index of networks says it better.
 */
export function coveredBy(
  rules: readonly CheckedRule[],
  unknown: Rules['unknown'],
): (index: number) => number | undefined {
  const filed = new Map<string, number[]>();
  const lengths = new Set<number>();
  for (const [index, rule] of rules.entries()) {
    if (rule.action === 'continue' || isPlain(rule)) continue;
    for (const { length } of rule.networks ?? []) lengths.add(length);
    // one condition is enough to be found by: whoever is covered has it too
    for (const key of keysOf(rule)[0] ?? []) {
      const list = filed.get(key);
      if (list === undefined) filed.set(key, [index]);
      else list.push(index);
    }
  }
  return (index) => {
    const rule = rules[index];
    if (rule === undefined || isPlain(rule)) return undefined;
    const keys = keysOf(rule).map(([first = '']) => first);
    const [network] = rule.networks ?? [];
    if (network !== undefined) {
      const wider = [...lengths].filter((length) => length < network.length);
      keys.push(...wider.map((length) => formatPrefix(prefixOf(network, length))));
    }
    const candidates = keys.flatMap((key) => filed.get(key) ?? []).filter((other) => other < index);
    return candidates
      .sort((a, b) => a - b)
      .find((other) => {
        const earlier = rules[other];
        return earlier !== undefined && covers(earlier, rule, unknown);
      });
  };
}

/** The entries of each condition as texts, those of the condition that few rules share first. */
function keysOf(rule: CheckedRule): string[][] {
  const { networks = [], asns = [], countries = [], lists = [] } = rule;
  return [
    isEverywhere(rule) ? [] : networks.map(formatPrefix),
    [...asns].map((asn) => `AS${asn}`),
    [...countries].map((country) => `country ${country}`),
    lists.map((list) => `list ${list}`),
  ].filter((keys) => keys.length > 0);
}

function covers(outer: CheckedRule, inner: CheckedRule, unknown: Rules['unknown']): boolean {
  if (columns.some((column) => applies(inner, column) && !applies(outer, column))) return false;
  if (!hasAll(outer.lists, inner.lists)) return false;
  const { countries, asns } = outer;
  if (!hasAll(countries, inner.countries) || !hasAll(asns, inner.asns)) return false;
  const isLocated = countries !== undefined || asns !== undefined;
  if (isLocated && unknown === 'deny' && inner.action === 'deny' && outer.action !== 'deny') return false;
  if (isEverywhere(outer)) return true;
  const known = new Set(outer.networks?.map(formatPrefix));
  return (
    inner.networks?.every(
      (network) =>
        known.has(formatPrefix(network)) || outer.networks?.some((wider) => contains(wider, network)),
    ) ?? false
  );
}

/** Is a condition, of which one entry is enough, met wherever the other one is? Absent: it always is. */
function hasAll<T>(outer: Iterable<T> | undefined, inner: Iterable<T> | undefined): boolean {
  if (outer === undefined) return true;
  const set = new Set(outer);
  return inner !== undefined && [...inner].every((entry) => set.has(entry));
}
