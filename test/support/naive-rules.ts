import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Reader, type Response } from 'mmdb-lib';
import type { Rule, Rules } from '../../functions/ipfilter/index.ts';
import {
  holds,
  type NaiveAddress,
  type NaiveNetwork,
  type NaiveRule,
  network,
  networkText,
  textOf,
  widthOf,
} from './naive-filter.ts';

/** A real database, as npm ships it. */
export const countryFile: Uint8Array = readFileSync(
  createRequire(import.meta.url).resolve(
    '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb',
  ),
);
const reader = new Reader<Response & { country_code: string }>(Buffer.from(countryFile));

type Dice = (n: number) => number;

/** A network that is banned until an instant of Date.now(). */
export interface NaiveBan {
  readonly network: NaiveNetwork;
  readonly untilMs: number;
}

/** A rule list twice: as the rule engine takes it, and in networks of whole numbers. */
export interface NaiveRules {
  readonly rules: Rules;
  readonly networks: readonly (readonly NaiveNetwork[] | undefined)[];
  readonly lists: Readonly<Record<string, readonly NaiveNetwork[]>>;
  readonly bans: readonly NaiveBan[] | undefined;
}

/** What the rules say, the longest it may be reused, and then while it is asked again. */
export interface NaiveVerdict {
  readonly allowed: boolean;
  readonly forMs: number;
  readonly revalidateMs: number;
}

const bases = ['0.0.0.0', '8.8.0.0', '10.0.0.0', '85.13.128.0', '100.64.0.0', '193.0.0.0', '203.0.113.0'].map(
  (text): NaiveAddress => ({
    family: 4,
    bits: text.split('.').reduce((sum, octet) => sum * 256n + BigInt(octet), 0n),
  }),
);
const bases6 = [0n, 0x2001_0db8_0007n << 80n, 0x2a00_1450n << 96n, 0x2600n << 112n, 0xfe80n << 112n].map(
  (bits): NaiveAddress => ({ family: 6, bits }),
);

/** Networks that nest, touch and repeat, and now and then a whole family. */
export function somePool(random: Dice, count = 24): NaiveNetwork[] {
  return Array.from({ length: count }, () => {
    const all = random(3) === 0 ? bases6 : bases;
    const { family, bits } = all[random(all.length)] ?? { family: 4, bits: 0n };
    const width = widthOf({ family });
    if (random(30) === 0) return network({ family, bits: 0n }, 0);
    const lengths =
      family === 4
        ? [8, 9, 14, 16, 17, 20, 23, 24, 25, 28, 30, 31, 32]
        : [16, 29, 32, 33, 47, 48, 64, 112, 127, 128];
    const length = lengths[random(lengths.length)] ?? width;
    // noise in the middle: neighbours of the base, near and far
    const noise = BigInt(random(2 ** 12)) << BigInt(random(width - 16));
    return network({ family, bits: bits ^ noise }, length);
  });
}

/** A rule list over networks of the pool, lists of them, countries of the real database, and bans. */
export function someNaiveRules(pool: readonly NaiveNetwork[], random: Dice, nowMs: number): NaiveRules {
  const some = (most: number) =>
    Array.from({ length: 1 + random(most) }, () => pool[random(pool.length)]).filter(
      (one) => one !== undefined,
    );
  const pick = <T>(all: readonly T[]) => all.filter(() => random(3) === 0);
  const withDatabase = random(3) === 0;
  const lists = { abuse: some(8), office: some(4) };
  const networks: (readonly NaiveNetwork[] | undefined)[] = [];
  const rules: Rule[] = [];
  for (let n = random(9); n >= 0; n -= 1) {
    const own = random(2) === 0 ? some(4) : undefined;
    const names = pick(Object.keys(lists));
    const countries = withDatabase ? pick(['DE', 'AT', 'US', 'JP', 'FR', 'CN', 'ZA']) : [];
    const protocols = pick(['SSH', 'FTP', 'DAV', 'HTTP'] as const);
    const rule: Rule = {
      action: (['allow', 'deny', 'allow', 'deny', 'continue'] as const)[random(5)] ?? 'deny',
      ...(own && { networks: own.map(networkText) }),
      ...(names.length > 0 && { lists: names }),
      ...(countries.length > 0 && { countries }),
      ...(protocols.length > 0 && random(2) === 0 && { protocols }),
      ...(random(3) === 0 && { for: (['5s', '20s', '2m'] as const)[random(3)] ?? '5s' }),
      ...(random(3) === 0 && { reason: `reason ${random(3)}` }),
    };
    const isEmpty = !['networks', 'lists', 'countries', 'protocols'].some((key) => key in rule);
    rules.push(isEmpty ? { ...rule, protocols: ['SSH'] } : rule);
    networks.push(own);
  }
  const what = () => (['allow', 'deny', 'rules'] as const)[random(3)] ?? 'rules';
  const text = (list: readonly NaiveNetwork[]) => list.map(networkText).join('\n');
  const bans = random(4) === 0 ? some(6).filter(canBeBanned) : undefined;
  return {
    rules: {
      default: random(2) === 0 ? 'allow' : 'deny',
      private: what(),
      unknown: what(),
      ...(random(3) === 0 && { staleWhileRevalidate: (['20s', '2m'] as const)[random(2)] ?? '20s' }),
      rules,
      lists: { abuse: { text: text(lists.abuse) }, office: { text: text(lists.office) } },
      ...(withDatabase && { databases: { country: { bytes: countryFile } } }),
    },
    networks,
    lists,
    bans: bans?.map((banned) => ({ network: banned, untilMs: nowMs + 1000 * (1 + random(600)) })),
  };
}

function canBeBanned({ family, length }: NaiveNetwork): boolean {
  return length >= (family === 4 ? 16 : 32);
}

const privates = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
].map(([text, length]): NaiveNetwork => {
  const bits = String(text)
    .split('.')
    .reduce((sum, octet) => sum * 256n + BigInt(octet), 0n);
  return { family: 4, bits, length: Number(length) };
});
privates.push(
  { family: 6, bits: 0n, length: 127 },
  { family: 6, bits: 0xfc00n << 112n, length: 7 },
  { family: 6, bits: 0xfe80n << 112n, length: 10 },
);

const longestMs = 300_000;
/** How long a verdict about somebody who is not banned is reused, where there are bans. */
const reachMs = 60_000;

/** What docs/ipfilter.md and docs/bans.md say, word by word. */
export function naiveVerdict(
  made: NaiveRules,
  address: NaiveAddress,
  protocol: string,
  nowMs: number,
): NaiveVerdict {
  const live = made.bans?.filter((ban) => ban.untilMs > nowMs && holds(ban.network, address)) ?? [];
  const narrowest = live.toSorted((a, b) => b.network.length - a.network.length || b.untilMs - a.untilMs)[0];
  if (narrowest) {
    return { allowed: false, forMs: Math.min(longestMs, narrowest.untilMs - nowMs), revalidateMs: 0 };
  }
  const verdict = ruled(made, address, protocol);
  if (!made.bans) return verdict;
  const forMs = Math.min(verdict.forMs, reachMs);
  return { ...verdict, forMs, revalidateMs: Math.min(verdict.revalidateMs, reachMs - forMs) };
}

/** What a duration of {@link someNaiveRules} is in ms. */
function msOf(duration: string | undefined): number | undefined {
  return { '5s': 5000, '20s': 20_000, '2m': 120_000 }[String(duration)];
}

function ruled(made: NaiveRules, address: NaiveAddress, protocol: string): NaiveVerdict {
  const { rules } = made;
  const isPrivate = privates.some((one) => holds(one, address));
  /** What the rules that continue leave, asking again included. */
  let atMostMs = Number.POSITIVE_INFINITY;
  if (isPrivate && rules.private !== 'rules') return lasting(rules.private === 'allow', longestMs);
  let metUnknown = false;
  for (const [at, rule] of rules.rules.entries()) {
    const isAsked =
      rule.protocols === undefined ||
      (protocol === '' ? rule.action === 'deny' : rule.protocols.some((one) => one === protocol));
    if (!isAsked) continue;
    if (made.networks[at]?.some((one) => holds(one, address)) === false) continue;
    if (rule.countries) {
      if (isPrivate) continue;
      const country = countryOf(address);
      if (country === undefined) {
        metUnknown = true;
        if (rules.unknown !== 'deny' || rule.action !== 'deny') continue;
      } else if (!rule.countries.includes(country)) continue;
    }
    if (rule.lists?.some((name) => made.lists[name]?.some((one) => holds(one, address))) === false) continue;
    if (rule.action !== 'continue') return lasting(rule.action === 'allow', msOf(rule.for) ?? longestMs);
    atMostMs = Math.min(atMostMs, msOf(rule.for) ?? atMostMs);
  }
  const verdict = metUnknown && rules.unknown !== 'rules' ? rules.unknown : rules.default;
  return lasting(verdict === 'allow', longestMs);

  function lasting(allowed: boolean, ms: number): NaiveVerdict {
    const forMs = Math.min(ms, atMostMs);
    return {
      allowed,
      forMs,
      revalidateMs: Math.min(msOf(rules.staleWhileRevalidate) ?? 0, atMostMs - forMs),
    };
  }
}

function countryOf(address: NaiveAddress): string | undefined {
  const country = reader.get(textOf(address, () => 0))?.country_code;
  return country === 'ZZ' ? undefined : country;
}

/** Rules of nothing but networks around borders of the real database, for `someAddress`. */
export function countryBorders(random: Dice, count: number): NaiveRule[] {
  return Array.from({ length: count }, () => {
    const address: NaiveAddress =
      random(3) === 0
        ? { family: 6, bits: (BigInt(0x2000 + random(0xd00)) << 112n) | (BigInt(random(2 ** 31)) << 80n) }
        : { family: 4, bits: BigInt(random(2 ** 32)) };
    const [, length] = reader.getWithPrefixLength(textOf(address, () => 0));
    return { allow: true, network: network(address, length) };
  });
}
