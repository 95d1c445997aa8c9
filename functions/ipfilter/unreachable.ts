import type { Prefix } from '../../proto/net/prefix.ts';
import { applies, columns } from './compile.ts';
import type { CheckedRule } from './rules.ts';

interface Range {
  readonly from: bigint;
  readonly to: bigint;
}

/** The indices of rules that can never match: earlier rules take every address of theirs, for every protocol. */
export function unreachableRules(rules: readonly CheckedRule[]): readonly number[] {
  const reached = new Set<number>();
  for (const column of columns) {
    let taken: readonly Range[] = [];
    for (const [index, rule] of rules.entries()) {
      if (!applies(rule, column)) continue;
      const own = union(rule.networks.map(toRange));
      if (!own.every((range) => isWithin(range, taken))) reached.add(index);
      taken = union([...taken, ...own]);
    }
  }
  return [...rules.keys()].filter((index) => !reached.has(index));
}

/** One number line for both families: IPv4 lies before zero, so that the two never touch. */
function toRange(prefix: Prefix): Range {
  if (prefix.family === 4) {
    const from = BigInt(prefix.bits) - (1n << 33n);
    return { from, to: from + (1n << BigInt(32 - prefix.length)) - 1n };
  }
  let from = 0n;
  for (let group = 0; group < 8; group++) from = (from << 16n) | BigInt(prefix.groups.charCodeAt(group));
  return { from, to: from + (1n << BigInt(128 - prefix.length)) - 1n };
}

/** Sorted, disjoint, and with neighbours joined. */
function union(ranges: readonly Range[]): readonly Range[] {
  const joined: Range[] = [];
  for (const range of ranges.toSorted((a, b) => (a.from < b.from ? -1 : 1))) {
    const last = joined.at(-1);
    if (last === undefined || range.from > last.to + 1n) joined.push(range);
    else if (range.to > last.to) joined[joined.length - 1] = { from: last.from, to: range.to };
  }
  return joined;
}

function isWithin(range: Range, ranges: readonly Range[]): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const candidate = ranges[middle];
    if (candidate === undefined || candidate.to < range.from) low = middle + 1;
    else high = middle;
  }
  const found = ranges[low];
  return found !== undefined && found.from <= range.from && range.to <= found.to;
}
