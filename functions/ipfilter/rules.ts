import type { NetworkSet } from '../../proto/net/network-set.ts';
import { type Prefix, parsePrefix } from '../../proto/net/prefix.ts';
import { type Duration, durationMs } from '../kit/duration.ts';
import { type Protocol, protocolNames } from '../kit/verdict.ts';
import {
  checkDuration,
  checkEntries,
  checkKeys,
  checkList,
  checkWord,
  invalid,
  within,
} from './config-check.ts';
import { isCountry } from './countries.ts';
import { checkDatabases, checkLists } from './source/check.ts';
import type { ListSource, Source } from './source/source.ts';

/**
 * One rule. It matches when all of its conditions do, and a condition when one of its entries does: networks and
 * lists and countries and so on are ANDed, what stands in one of them is ORed.
 */
export interface Rule {
  /**
   * `allow` and `deny` decide. `continue` decides nothing: the rules after it go on, its `reason` is put before
   * theirs, and its `for` shortens how long the decision may be reused.
   */
  readonly action: 'allow' | 'deny' | 'continue';
  /** IPv4 and IPv6 networks or single addresses: `203.0.113.0/24`, `2001:db8:7::/48`, `198.51.100.7`. */
  readonly networks?: readonly string[];
  /** Names of {@link Rules.lists}. */
  readonly lists?: readonly string[];
  /** ISO 3166-1 alpha-2 codes: `DE`. Needs `databases.country`, `private` and `unknown`. */
  readonly countries?: readonly string[];
  /** Numbers of autonomous systems: `64500`. Needs `databases.asn`, `private` and `unknown`. */
  readonly asns?: readonly number[];
  /** The protocols it is for; absent: all. */
  readonly protocols?: readonly Protocol[];
  /** For the adapter's debug log; absent: the rule's place in the list. */
  readonly reason?: string;
  /** How long the adapter may reuse the decision; absent: the list's own `for`. */
  readonly for?: Duration;
}

/** A rule list: the first rule that matches decides. */
export interface Rules {
  /** What happens to an address that no rule matches. There is no default for the default. */
  readonly default: 'allow' | 'deny';
  readonly rules: readonly Rule[];
  /** How long the adapter may reuse a decision; absent: 5 minutes, the most it takes. */
  readonly for?: Duration;
  /**
   * After that: how long the adapter still answers by itself, and asks again beside it. Absent: who comes then waits for
   * the function. The `for` of a rule that continues shortens both together.
   */
  readonly staleWhileRevalidate?: Duration;
  /**
   * After `for`: how long a decision may stand in while the function cannot be asked; `0s`: not at all. Absent: what the
   * adapter's `cache.staleIfError` says, which is the most in any case.
   */
  readonly staleIfError?: Duration;
  /**
   * Addresses that belong to no country: private, shared, loopback and link-local ones. `allow` and `deny` decide
   * before every rule, `rules` leaves them to the rules, where countries and AS numbers do not match. Required
   * where a rule has countries or AS numbers.
   */
  readonly private?: 'allow' | 'deny' | 'rules';
  /**
   * Addresses that the database does not know. `deny`: a deny rule by country counts, an allow rule does not, and
   * where no rule decides it is deny. `allow`: no rule by country counts, and where no rule decides it is allow.
   * `rules`: no rule by country counts, and `default` decides. The same with AS numbers. Required where a rule has
   * countries or AS numbers.
   */
  readonly unknown?: 'allow' | 'deny' | 'rules';
  /** Lists of networks by name, each from a source of its own. */
  readonly lists?: Readonly<Record<string, ListSource>>;
  /** Databases (.mmdb) for countries and AS numbers. */
  readonly databases?: { readonly country?: Source; readonly asn?: Source };
}

/** A rule that was checked, its networks parsed. */
export interface CheckedRule {
  readonly action: Rule['action'];
  /** Absent: any address. Never empty. */
  readonly networks?: readonly Prefix[];
  readonly lists?: readonly string[];
  readonly countries?: ReadonlySet<string>;
  readonly asns?: ReadonlySet<number>;
  readonly protocols?: readonly Protocol[];
  readonly reason: string;
  /** Infinite: a rule that continues and shortens nothing. */
  readonly forMs: number;
}

/** A list that stands in the bundle is read when the rules are checked. */
export type BundledLists = ReadonlyMap<string, NetworkSet>;

const conditionKeys = ['networks', 'lists', 'countries', 'asns', 'protocols'];
const ruleKeys = ['action', ...conditionKeys, 'reason', 'for'];
const lifetimeKeys = ['for', 'staleWhileRevalidate', 'staleIfError'] as const;
const listKeys = ['default', 'rules', ...lifetimeKeys, 'private', 'unknown', 'lists', 'databases'];
/** The most that the adapter takes. */
const longest: Duration = '5m';

/**
 * Checks a rule list, also one that comes from JSON.
 *
 * @throws PluginError CONFIG_INVALID, naming the place: `rules[2].networks[1]`
 */
export function checkRules(list: Rules): readonly CheckedRule[] {
  checkKeys(list, listKeys, 'the rule list');
  checkWord(
    list.default,
    ['allow', 'deny'],
    'default',
    "Say what happens to addresses that no rule matches: default: 'deny'.",
  );
  for (const key of lifetimeKeys) checkDuration(list[key], key);
  if (list.lists !== undefined) checkLists(list.lists);
  if (list.databases !== undefined) checkDatabases(list.databases);
  checkList(list.rules, 'rules');
  const rules = list.rules.map((rule, index) => checkRule(rule, list, `rules[${index}]`));
  const located = rules.findIndex((rule) => rule.countries !== undefined || rule.asns !== undefined);
  for (const key of ['private', 'unknown'] as const) {
    if (list[key] === undefined && located < 0) continue;
    checkWord(
      list[key],
      ['allow', 'deny', 'rules'],
      key,
      `rules[${Math.max(located, 0)}] asks for a country or an AS number: say what happens to ${
        key === 'private' ? 'private addresses, which have none' : 'addresses that the database does not know'
      }.`,
    );
  }
  return rules;
}

function checkRule(rule: Rule, list: Rules, place: string): CheckedRule {
  checkKeys(rule, ruleKeys, place);
  checkWord(
    rule.action,
    ['allow', 'deny', 'continue'],
    `${place}.action`,
    "Write action: 'allow' or action: 'deny'.",
  );
  const { action, networks, lists, countries, asns, protocols } = rule;
  if (conditionKeys.every((key) => rule[key as keyof Rule] === undefined)) {
    throw invalid(
      `${place} has no condition`,
      `some of ${conditionKeys.join(', ')}`,
      "All addresses are networks: ['0.0.0.0/0', '::/0'].",
    );
  }
  if (networks !== undefined) {
    checkEntries(networks, `${place}.networks`, () => true, {
      not: '',
      expected: 'at least one network',
      remedy: "All addresses are ['0.0.0.0/0', '::/0'].",
    });
  }
  if (lists !== undefined) checkNames(lists, Object.keys(list.lists ?? {}), `${place}.lists`);
  if (countries !== undefined) checkCountries(countries, list, `${place}.countries`);
  if (asns !== undefined) checkAsns(asns, list, `${place}.asns`);
  if (protocols !== undefined) {
    checkEntries(protocols, `${place}.protocols`, (name) => protocolNames.includes(String(name)), {
      not: 'no protocol of SFTPGo',
      expected: protocolNames.join(', '),
      remedy: 'Leave protocols out to mean all of them.',
    });
  }
  checkDuration(rule.for, `${place}.for`);
  if (rule.reason !== undefined && typeof rule.reason !== 'string') {
    throw invalid(`${place}.reason is not text`, 'a short text', 'Leave it out or write a text.');
  }
  return {
    action,
    ...(networks && {
      networks: networks.map((text, at) =>
        within(`${place}.networks[${at}]`, () => parsePrefix(String(text))),
      ),
    }),
    ...(lists && { lists }),
    ...(countries && { countries: new Set(countries) }),
    ...(asns && { asns: new Set(asns) }),
    ...(protocols && { protocols }),
    reason: rule.reason === undefined ? place : `${place} "${rule.reason}"`,
    forMs:
      action === 'continue' && rule.for === undefined
        ? Number.POSITIVE_INFINITY
        : durationMs(rule.for ?? list.for ?? longest),
  };
}

function checkNames(names: readonly string[], known: readonly string[], place: string): void {
  checkEntries(names, place, (name) => known.includes(String(name)), {
    not: 'no name of a list',
    expected: known.length === 0 ? 'lists to be there' : known.join(', '),
    remedy: "Describe the list under lists: { abuse: { url: 'https://…' } }.",
  });
}

function checkCountries(countries: readonly string[], list: Rules, place: string): void {
  checkEntries(countries, place, (code) => isCountry(String(code)), {
    not: 'no country',
    expected: 'ISO 3166-1 codes in capital letters: DE, AT',
    remedy: 'The United Kingdom is GB, Greece GR.',
  });
  if (list.databases?.country === undefined) throw noDatabase(place, 'country');
}

function checkAsns(asns: readonly number[], list: Rules, place: string): void {
  const isAsn = (asn: unknown) => Number.isInteger(asn) && Number(asn) > 0 && Number(asn) <= 0xffff_ffff;
  checkEntries(asns, place, isAsn, {
    not: 'no AS number',
    expected: 'whole numbers: 64500',
    remedy: 'Write AS64500 as 64500.',
  });
  if (list.databases?.asn === undefined) throw noDatabase(place, 'asn');
}

function noDatabase(place: string, name: string) {
  return invalid(
    `${place} needs a database, and there is no databases.${name}`,
    'where to find one',
    `Write databases: { ${name}: { kv: 'GEO', key: '${name}.mmdb' } }.`,
  );
}
