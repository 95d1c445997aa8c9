import { maxReasonLength } from '../../proto/facts.ts';
import type { Words } from '../../proto/net/words.ts';
import type { Filed, RuleIndex } from './compile.ts';
import type { CheckedRule, Rules } from './rules.ts';

/** What a source says of the address; `length` is how many leading bits that depends on. */
export interface Consulted<T> {
  readonly value: T;
  readonly length: number;
  /** The source has not been read for some time, which every decision says that looked at the answer. */
  readonly stale?: Stale;
}

/** A source of which an old copy is held. */
export interface Stale {
  readonly name: string;
  readonly sinceMs: number;
}

/** A source that holds nothing yet: decide again when it does. */
export interface Missing {
  readonly missing: string;
}

/** The address that is asked about, and what the sources say of it. */
export interface Asked {
  readonly words: Words;
  /** Absent where the rules do not distinguish. */
  readonly privacy?: Consulted<boolean>;
  list(name: string): Consulted<boolean> | Missing;
  country(): Consulted<string | undefined> | Missing;
  asn(): Consulted<number | undefined> | Missing;
}

/** A decision, and what it holds for. */
export interface Outcome {
  readonly allowed: boolean;
  readonly reason: string;
  readonly forMs: number;
  /** After that: used once more while the function is asked again. */
  readonly staleWhileRevalidateMs: number;
  /** The same for every address that shares this many leading bits. */
  readonly length: number;
}

/** What the rule list says beside its rules. */
export type Policy = Pick<Rules, 'default' | 'private' | 'unknown'> & {
  readonly forMs: number;
  readonly staleWhileRevalidateMs: number;
};

/**
 * Decides about one address by one index of rules: the rules in question, in ascending order from each place
 * where they are filed, until one matches that decides.
 *
 * Each answer that was looked at on the way narrows the scope: wherever all of them are the same, the same rules
 * are passed over, and the same one decides.
 */
export function decide(
  rules: readonly CheckedRule[],
  index: RuleIndex,
  policy: Policy,
  asked: Asked,
): Outcome | Missing {
  let length = 0;
  let unknown: string | undefined;
  /** A database that holds nothing yet, which a rule that continues asked. */
  let unasked: Missing | undefined;
  /** The least that a rule which continues said. */
  let atMostMs = Number.POSITIVE_INFINITY;
  const notes: string[] = [];
  let stale: Map<string, number> | undefined;
  const isPrivate = see(asked.privacy) ?? false;
  if (isPrivate && policy.private !== undefined && policy.private !== 'rules') {
    return outcome(
      policy.private === 'allow',
      `a private address, and private is ${policy.private}`,
      policy.forMs,
    );
  }
  const { node, length: treeLength } = index.tree.find(asked.words);
  length = Math.max(length, treeLength);
  const streams: Stream[] = [stream(index.byList), stream(index.rest)];
  if (!isPrivate) {
    streams.push(later(index.byCountry, country), later(index.byAsn, asn));
  }
  for (let at = node; at !== undefined; at = at.parent) streams.push(stream(at.rules));

  for (let last = -1; ; ) {
    const next = nextOf(streams);
    if (next === undefined) break;
    const number = headOf(next);
    if (next.resolve !== undefined) {
      const resolved = next.resolve();
      if ('missing' in resolved) {
        // a rule that decides nothing makes nobody wait, and fails nobody
        if (rules[number]?.action !== 'continue') return resolved;
        unasked = resolved;
        next.rules = next.deciding ?? [];
        continue;
      }
      next.rules = resolved;
      next.resolve = undefined;
      continue;
    }
    next.at++;
    const rule = rules[number];
    // one rule may have a wider network around another of its own
    if (rule === undefined || number === last) continue;
    last = number;
    const matched = match(rule);
    if (matched === undefined) continue;
    if ('missing' in matched) return matched;
    const why = [rule.reason, matched.why.join(', ')].filter((text) => text !== '').join(': ');
    if (rule.action !== 'continue') return outcome(rule.action === 'allow', why, rule.forMs);
    notes.push(`${why}; `);
    atMostMs = Math.min(atMostMs, rule.forMs);
  }
  const mayDiffer = policy.unknown !== 'rules' && policy.unknown !== policy.default;
  if (unasked !== undefined && policy.unknown !== undefined && mayDiffer) return unasked;
  const fallback = unknown !== undefined && policy.unknown !== undefined && policy.unknown !== 'rules';
  const verdict = fallback ? policy.unknown : policy.default;
  return outcome(
    verdict === 'allow',
    fallback
      ? `the database does not know the ${unknown}, and unknown is ${verdict}`
      : `no rule matches and the default is ${verdict}`,
    policy.forMs,
  );

  function outcome(allowed: boolean, why: string, ownMs: number): Outcome {
    const forMs = Math.min(atMostMs, ownMs);
    const staleWhileRevalidateMs = Math.min(policy.staleWhileRevalidateMs, atMostMs - forMs);
    const reason = withStale(notes.join('') + why, stale);
    return { allowed, reason, forMs, staleWhileRevalidateMs, length };
  }

  /** Looks at an answer: from here on the decision depends on it. */
  function see<T>(consulted: Consulted<T> | undefined): T | undefined {
    if (consulted === undefined) return undefined;
    length = Math.max(length, consulted.length);
    if (consulted.stale !== undefined) {
      stale ??= new Map();
      stale.set(consulted.stale.name, consulted.stale.sinceMs);
    }
    return consulted.value;
  }

  function country(): Consulted<string | undefined> | Missing {
    const said = asked.country();
    if ('missing' in said) return said;
    if (see(said) === undefined) unknown ??= 'country';
    return said;
  }

  function asn(): Consulted<number | undefined> | Missing {
    const said = asked.asn();
    if ('missing' in said) return said;
    if (see(said) === undefined) unknown ??= 'AS number';
    return said;
  }

  function later<K>(filed: Filed<K>, ask: () => Consulted<K | undefined> | Missing): Stream {
    return {
      rules: filed.first === Number.POSITIVE_INFINITY ? [] : [filed.first],
      at: 0,
      deciding: filed.deciding,
      resolve: () => {
        const said = ask();
        if ('missing' in said) return said;
        if (said.value !== undefined) return filed.of.get(said.value) ?? [];
        return policy.unknown === 'deny' ? filed.denying : [];
      },
    };
  }

  /** Why the rule matches; undefined: it does not. */
  function match(rule: CheckedRule): { readonly why: readonly string[] } | Missing | undefined {
    const why: string[] = [];
    for (const [set, ask, name] of [
      [rule.countries, country, 'country '],
      [rule.asns, asn, 'AS'],
    ] as const) {
      if (set === undefined) continue;
      if (isPrivate) return undefined;
      const said = ask();
      if ('missing' in said) {
        if (rule.action !== 'continue') return said;
        unasked = said;
        return undefined;
      }
      const { value } = said;
      const counts =
        value === undefined ? policy.unknown === 'deny' && rule.action === 'deny' : has(set, value);
      if (!counts) return undefined;
      why.push(`${name}${value ?? ' unknown'}`);
    }
    if (rule.lists === undefined) return { why };
    for (const name of rule.lists) {
      const said = asked.list(name);
      if ('missing' in said) {
        if (rule.action === 'continue') continue;
        return said;
      }
      if (see(said)) return { why: [...why, `list ${name}`] };
    }
    return undefined;
  }
}

/** How much of a reason the names of sources may take. */
const maxNamesLength = 80;

/** The reason, and in its room which sources were not read, and since when: what is cut is the reason. */
function withStale(reason: string, stale: ReadonlyMap<string, number> | undefined): string {
  if (stale === undefined) return reason;
  const names = [...stale.keys()].join(', ');
  const shown = names.length > maxNamesLength ? `${names.slice(0, maxNamesLength - 3)}...` : names;
  const note = ` (not read since ${new Date(Math.min(...stale.values())).toISOString()}: ${shown})`;
  return reason.slice(0, maxReasonLength - note.length) + note;
}

/** Rules of one place, in ascending order. */
interface Stream {
  rules: readonly number[];
  at: number;
  /** Finds out which rules they are, once the first possible one is next. */
  resolve?: (() => readonly number[] | Missing) | undefined;
  /** Of what is not found out yet, the rules that decide. */
  readonly deciding?: readonly number[];
}

function stream(rules: readonly number[]): Stream {
  return { rules, at: 0 };
}

function headOf({ rules, at }: Stream): number {
  return rules[at] ?? Number.POSITIVE_INFINITY;
}

function nextOf(streams: readonly Stream[]): Stream | undefined {
  let next: Stream | undefined;
  for (const candidate of streams) {
    if (headOf(candidate) < (next === undefined ? Number.POSITIVE_INFINITY : headOf(next))) next = candidate;
  }
  return next;
}

/** A set of texts or of numbers, asked about one of the two. */
function has(set: ReadonlySet<string> | ReadonlySet<number>, value: string | number): boolean {
  return (set as ReadonlySet<string | number>).has(value);
}
