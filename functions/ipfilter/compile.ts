import { type Address, parseAddress } from '../../proto/net/address.ts';
import { PrefixMap } from '../../proto/net/prefix-map.ts';
import type { Protocol } from '../kit/verdict.ts';
import type { CheckedRule } from './rules.ts';

/** A protocol as a rule list can be asked about it: one of SFTPGo's, none (''), or one yet to come. */
export type Column = Protocol | '' | 'other';

/** Every kind of question there is. */
export const columns: readonly Column[] = ['SSH', 'FTP', 'DAV', 'HTTP', '', 'other'];

/** Finds the first matching rule of a list. */
export interface Decider {
  /** The index of the first rule that matches, or -1. Text that is no address matches none. */
  firstMatch(ip: string, column: Column): number;
}

/**
 * Compiles an ordered list into one longest-prefix map for each protocol, so that a decision costs a few hash
 * look-ups however long the list is. The value of a network is the lowest index among the rules that contain
 * it: the longest network around an address lies in every other one around it.
 */
export function compile(rules: readonly CheckedRule[]): Decider {
  const built = new Map<string, PrefixMap<number>>();
  const maps = new Map<Column, PrefixMap<number>>();
  for (const column of columns) {
    const indices = [...rules.keys()].filter((index) => applies(rules[index], column));
    const key = indices.join();
    const map = built.get(key) ?? mapOf(rules, indices);
    built.set(key, map);
    maps.set(column, map);
  }
  return {
    firstMatch(ip, column) {
      const address: Address | undefined = parseAddress(ip);
      return (address && maps.get(column)?.get(address)) ?? -1;
    },
  };
}

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

function mapOf(rules: readonly CheckedRule[], indices: readonly number[]): PrefixMap<number> {
  const entries = indices.flatMap(
    (index) => rules[index]?.networks.map((prefix) => ({ prefix, index })) ?? [],
  );
  entries.sort((a, b) => a.prefix.length - b.prefix.length || a.index - b.index);
  const map = new PrefixMap<number>();
  for (const { prefix, index } of entries) {
    // wider networks came first: one with a lower index decides here too
    const wider = map.get(prefix);
    if (wider === undefined || wider > index) map.set(prefix, index);
  }
  return map;
}
