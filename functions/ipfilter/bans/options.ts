import { shortestBan } from '../../../proto/bans/network.ts';
import { PluginError } from '../../../proto/error.ts';
import { type Prefix, parsePrefix } from '../../../proto/net/prefix.ts';
import { type Duration, durationMs } from '../../kit/duration.ts';
import type { Protocol } from '../../kit/index.ts';
import { protocolNames } from '../../kit/verdict.ts';
import { allLengths, type BanStore, type Limit } from './store.ts';

/** Bans that make themselves, out of counted offences. */
export interface Rate {
  /** So many offences of one network … (2 to 100) */
  readonly attempts: number;
  /** … within this time (1 second to 1 hour) … */
  readonly per: Duration;
  /** … where a network is so many leading bits of an address; absent: 32 and 64 … */
  readonly prefix?: { readonly ipv4: number; readonly ipv6: number };
  /** … ban it for this long. */
  readonly for: Duration;
  /** Offences of these protocols only; absent: of all. A report may also say OIDC. */
  readonly protocols?: readonly (Protocol | 'OIDC')[];
  /**
   * What is an offence: what other functions report (absent), each CheckIP that reaches this function (`checks`),
   * or both. The adapter answers most CheckIP calls by itself, out of its cache: those are not counted.
   */
  readonly of?: 'reports' | 'checks' | 'both';
  /** Needed where the store counts for each instance of the function alone, as KV: bans then come late or never. */
  readonly approximate?: true;
}

/** How bans are kept and made. */
export interface BansOptions<Env> {
  /** `objectBans(…)`, `kvBans(…)` or `dynamoBans()`. */
  readonly store: BanStore<Env>;
  /** The longest ban; longer ones become so long. Absent: 30 days. */
  readonly maxFor?: Duration;
  /** Networks that nobody can ban any part of: the office, monitoring. */
  readonly never?: readonly string[];
  /**
   * How long the adapter may reuse a verdict about an address that is not banned, and so how long it may take until a
   * new ban is felt. Absent: 1 minute.
   */
  readonly reach?: Duration;
  readonly rate?: Rate;
}

/** Options that were checked. */
export interface CheckedBans<Env> {
  readonly store: BanStore<Env>;
  readonly maxForMs: number;
  readonly never: readonly Prefix[];
  readonly reachMs: number;
  readonly lengths: Readonly<Record<4 | 6, readonly number[]>>;
  readonly rate:
    | (Limit & {
        readonly length: Readonly<Record<4 | 6, number>>;
        readonly protocols: readonly string[] | undefined;
        readonly of: NonNullable<Rate['of']>;
      })
    | undefined;
}

const dayMs = 86_400_000;

/**
 * Checks the options of bans.
 *
 * @throws PluginError CONFIG_INVALID, naming the place: `rate.attempts`
 */
export function checkBans<Env>(options: BansOptions<Env>): CheckedBans<Env> {
  checkKeys(options, ['store', 'maxFor', 'never', 'reach', 'rate'], '');
  const { store, maxFor = '720h', never = [], reach = '1m', rate } = options;
  if (typeof store?.open !== 'function') {
    throw invalid(
      'store',
      'a place where the bans are',
      'Write store: objectBans(…), kvBans(…) or dynamoBans().',
    );
  }
  if (!Array.isArray(never)) throw invalid('never', 'a list of networks', "Write never: ['203.0.113.0/24'].");
  const lengths = store.lengths ?? allLengths;
  return {
    store,
    maxForMs: between('maxFor', maxFor, 60_000, 366 * dayMs),
    never: never.map((text, at) => within(`never[${at}]`, () => parsePrefix(String(text)))),
    reachMs: between('reach', reach, 1_000, 300_000),
    lengths,
    rate: rate === undefined ? undefined : checkRate(rate, store, lengths),
  };
}

function checkRate<Env>(
  rate: Rate,
  { counting }: BanStore<Env>,
  lengths: CheckedBans<Env>['lengths'],
): CheckedBans<Env>['rate'] {
  const keys = ['attempts', 'per', 'prefix', 'for', 'protocols', 'of', 'approximate'];
  checkKeys(rate, keys, 'rate.');
  const { attempts, prefix = { ipv4: 32, ipv6: 64 }, protocols, of = 'reports' } = rate;
  checkKeys(prefix, ['ipv4', 'ipv6'], 'rate.prefix.');
  if (!Number.isInteger(attempts) || attempts < 2 || attempts > 100) {
    throw invalid('rate.attempts', 'a whole number from 2 to 100', 'One offence is a ban: add it as one.');
  }
  if (!['reports', 'checks', 'both'].includes(of)) {
    throw invalid('rate.of', 'reports, checks or both', 'Leave it out for reports.');
  }
  if (protocols !== undefined) checkProtocols(protocols, of);
  if (counting === 'approximate' && rate.approximate !== true) {
    throw invalid(
      'rate',
      'a store that counts exactly, as objectBans, or approximate: true',
      'With this store each instance of the function counts alone: a ban comes late or never.',
    );
  }
  for (const [name, length, family] of [
    ['ipv4', prefix.ipv4, 4],
    ['ipv6', prefix.ipv6, 6],
  ] as const) {
    if (lengths[family].includes(length)) continue;
    throw invalid(
      `rate.prefix.${name}`,
      lengths === allLengths
        ? `a length from ${shortestBan[family]} to ${lengths[family][0]}`
        : `one of ${lengths[family].join(', ')}: what the store holds`,
      'Take one of these.',
    );
  }
  return {
    attempts,
    perMs: between('rate.per', rate.per, 1_000, 3_600_000),
    forMs: between('rate.for', rate.for, 1_000, 366 * dayMs),
    length: { 4: prefix.ipv4, 6: prefix.ipv6 },
    protocols,
    of,
  };
}

/** An offence of a protocol that is none would never be counted. */
function checkProtocols(protocols: readonly string[], of: Rate['of']): void {
  // logins by OIDC are reported; nobody asks about an address by it
  const known = of === 'checks' ? protocolNames : [...protocolNames, 'OIDC'];
  const bad = Array.isArray(protocols) ? protocols.findIndex((name) => !known.includes(name)) : -1;
  if (Array.isArray(protocols) && protocols.length > 0 && bad < 0) return;
  throw invalid(
    `rate.protocols${bad < 0 ? '' : `[${bad}]`}`,
    `a list of ${known.join(', ')}`,
    'SFTP and SCP are SSH. Leave protocols out to count all of them.',
  );
}

function between(place: string, text: Duration, minMs: number, maxMs: number): number {
  const ms = within(place, () => durationMs(text));
  if (ms >= minMs && ms <= maxMs) return ms;
  throw invalid(place, `${minMs / 1000} s to ${maxMs / 1000} s`, 'Correct it.');
}

function checkKeys(value: object, known: readonly string[], place: string): void {
  if (typeof value !== 'object' || value === null) {
    const name = place === '' ? 'the configuration' : place.slice(0, -1);
    throw invalid(name, `an object with ${known.join(', ')}`, 'See docs/bans.md.');
  }
  const odd = Object.keys(value).find((key) => !known.includes(key));
  if (odd !== undefined) throw invalid(`${place}${odd}`, `the keys ${known.join(', ')}`, 'Correct its name.');
}

/** Adds the place to what `read` complains about. */
function within<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    throw new PluginError('CONFIG_INVALID', {
      happened: `${place} of the bans: ${error.happened}`,
      expected: error.expected,
      remedy: error.remedy,
    });
  }
}

function invalid(place: string, expected: string, remedy: string): PluginError {
  return new PluginError('CONFIG_INVALID', { happened: `${place} of the bans is wrong`, expected, remedy });
}
