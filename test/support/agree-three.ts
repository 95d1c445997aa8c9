import { create } from '@bufbuild/protobuf';
import { compose } from '../../adapter/policies/compose.ts';
import { ipfilterSection } from '../../adapter/policies/ipfilter/config.ts';
import { ipfilterPolicies } from '../../adapter/policies/ipfilter/index.ts';
import type { Facts, Handler } from '../../adapter/shapes.ts';
import { createBans, memoryBans } from '../../functions/ipfilter/bans/index.ts';
import { createContext } from '../../functions/ipfilter/fixtures/context.ts';
import { ipfilterRules } from '../../functions/ipfilter/index.ts';
import type { Plugin } from '../../functions/kit/index.ts';
import { parseCache, parseScope, pluginHeaders } from '../../proto/facts.ts';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { formatPrefix, parsePrefix } from '../../proto/net/prefix.ts';
import { callOf } from './invoke.ts';
import {
  askedProtocols,
  dice,
  type NaiveAddress,
  network,
  networkText,
  someAddress,
  textOf,
  widthOf,
} from './naive-filter.ts';
import { countryBorders, type NaiveRules, naiveVerdict, someNaiveRules, somePool } from './naive-rules.ts';
import { codeOf, factsWith, signedError } from './policies.ts';

/** Those that SFTPGo may ask about, and one that plugin-scope cannot name; up to 2.4 it says none. */
const newHost = [...askedProtocols.filter((name) => name !== ''), 'HTTP/3'];
const oldHost = [''];
/** Longer than any verdict is remembered, the time in which it is asked again included. */
const agesMs = 600_001;

/** What a comparison came to. */
export interface Agreement {
  readonly asked: number;
  /** Questions that the adapter handed on to the function: its memory answered the others. */
  readonly missed: number;
  /** Addresses and protocols of a signed scope, other than the asked ones, that were looked at. */
  readonly elsewhere: number;
  /** Verdicts that let somebody in. */
  readonly allowed: number;
  /** Verdicts that may be used once more while they are asked again. */
  readonly revalidated: number;
  /** The first disagreements, in words; none is what a test wants. */
  readonly wrong: readonly string[];
}

/** One verdict of the function: what it decides, and what it signs for the adapter to remember. */
interface Decided {
  readonly about: string;
  readonly code: 'answered' | 'DENIED';
  readonly facts: Partial<Facts>;
}

/**
 * Asks three about the same addresses: the rule engine through its plugin, the adapter's policies over that plugin, and
 * the rules read naively. Everything a verdict signs is held against the naive reading as well: how long, and for whom.
 * Halfway through, each rule list makes room for another one, by a Reload or by time. `advance` lets time pass, for
 * `Date.now` as well.
 */
export async function agreeThree(options: {
  readonly seed: number;
  readonly ruleSets: number;
  readonly addressesEach: number;
  advance(ms: number): void;
}): Promise<Agreement> {
  const random = dice(options.seed);
  const wrong: string[] = [];
  const borders = countryBorders(random, 2000);
  let [asked, missed, elsewhere, allowed, revalidated] = [0, 0, 0, 0, 0];

  for (let set = 0; set < options.ruleSets && wrong.length < 5; set += 1) {
    const protocols = random(8) === 0 ? oldHost : newHost;
    const pool = somePool(random);
    const places = pool.map((one) => ({ allow: true, network: one }));
    let made = someNaiveRules(pool, random, Date.now());
    let plugin = await pluginOf(made);
    let last: Decided | undefined;
    const next: Handler = async (call) => {
      if (call.method.name === 'Reload') return { output: create(call.method.output) };
      missed += 1;
      const { ip = '', protocol = '' } = call.input as { ip?: string; protocol?: string };
      // what memory answered is asked again beside it, when the next question may be under way
      const said = last?.about === `${ip} ${protocol}` ? last : await decideBy(plugin, ip, protocol);
      const facts = factsWith(said.facts);
      if (said.code === 'answered') return { output: create(call.method.output), facts };
      throw signedError('permission_denied', facts);
    };
    const section = ipfilterSection.parse({
      use: 'office',
      alwaysAllow: [],
      cache: { entries: [1, 200, 100_000, 100_000][random(4)] },
    });
    const policies = ipfilterPolicies(section);
    const handle = compose(policies, next);
    const say = (what: string) => void wrong.push(`seed ${options.seed}, set ${set}: ${what}`);

    for (let n = 0; n < options.addressesEach && wrong.length < 5; n += 1) {
      if (n === options.addressesEach >> 1) {
        made = someNaiveRules(pool, random, Date.now());
        plugin = await pluginOf(made);
        if (random(2) === 0) for (const policy of policies) await policy.reload?.();
        else options.advance(agesMs);
      }
      const address = someAddress(random(4) === 0 ? borders : places, random);
      const protocol = protocols[random(protocols.length)] ?? '';
      const ip = textOf(address, random);
      const about = `${ip} ${protocol}`;
      const nowMs = Date.now();
      const expected = naiveVerdict(made, address, protocol, nowMs);
      const code = expected.allowed ? 'answered' : 'DENIED';
      asked += 1;
      allowed += Number(expected.allowed);

      last = await decideBy(plugin, ip, protocol);
      if (last.code !== code) say(`the function: ${about}: ${last.code}, not ${code}`);
      const seen = await codeOf(handle(callOf(IPFilter.method.checkIP, { ip, protocol })));
      if (seen !== code) say(`the adapter: ${about}: ${seen}, not ${code}`);

      const { freshMs = 0, staleWhileRevalidateMs = 0, scope } = last.facts;
      const longest = Math.floor(expected.forMs / 1000) * 1000;
      if (freshMs !== (scope === undefined ? 0 : longest)) say(`${about}: for ${freshMs} ms, not ${longest}`);
      const again = scope === undefined ? 0 : Math.floor(expected.revalidateMs / 1000) * 1000;
      if (staleWhileRevalidateMs !== again)
        say(`${about}: again for ${staleWhileRevalidateMs} ms, not ${again}`);
      revalidated += Number(again > 0);
      if (scope === undefined ? protocol !== 'HTTP/3' : n % 2 === 0 && !holdsFor(scope))
        say(`${about}: scope ${scope}`);
      if (random(100) === 0) options.advance(random(60_000));

      /** Does what was said hold at another place of its scope, chosen at random? */
      function holdsFor(text: string): boolean {
        const { prefix, protocols: named = protocols } = parseScope(text) ?? { prefix: '' };
        const length = Number(prefix.slice(prefix.indexOf('/') + 1));
        const other = scatter(address, length, random);
        const theirs = named[random(named.length)] ?? '';
        elsewhere += 1;
        const isThere =
          prefix === canonical(networkText(network(address, length))) && named.includes(protocol);
        return isThere && naiveVerdict(made, other, theirs, nowMs).allowed === expected.allowed;
      }
    }
  }
  return { asked, missed, elsewhere, allowed, revalidated, wrong: wrong.slice(0, 5) };
}

async function pluginOf({ rules, bans }: NaiveRules): Promise<Plugin<object>> {
  if (bans === undefined) return ipfilterRules<object>(rules);
  const store = memoryBans();
  const context = createContext({});
  const open = store.open({}, context.log);
  for (const [at, { network: banned, untilMs }] of bans.entries()) {
    const ban = { network: canonical(networkText(banned)), untilMs, reason: 'naive', by: 'a test' };
    await open.add(ban, String(at), Date.now());
  }
  return ipfilterRules<object>(rules, { before: [createBans<object>({ store }).check] });
}

/** As plugin-scope and the stores of bans write a network. */
function canonical(text: string): string {
  return formatPrefix(parsePrefix(text));
}

const context = createContext({});
const adapter = { keyid: '', adapter: true, reporter: false };

/** What the plugin answers, and the headers it would sign, as the adapter reads them. */
async function decideBy(plugin: Plugin<object>, ip: string, protocol: string): Promise<Decided> {
  const rpc = plugin.definition.rpcs['CheckIP'];
  if (rpc === undefined) throw new TypeError('no CheckIP');
  const question = { ip, protocol } as never;
  const { refusal, facts = {} } = await rpc.run(question, context, new Map(), '', adapter);
  if (refusal !== undefined && refusal.code !== 'permission_denied') throw new Error(refusal.message);
  const { freshMs, staleWhileRevalidateMs } = parseCache(facts[pluginHeaders.cache]) ?? {};
  const scope = facts[pluginHeaders.scope];
  return {
    about: `${ip} ${protocol}`,
    code: refusal === undefined ? 'answered' : 'DENIED',
    facts: {
      ...(freshMs !== undefined && { freshMs }),
      ...(staleWhileRevalidateMs !== undefined && { staleWhileRevalidateMs }),
      ...(scope !== undefined && { scope }),
      reason: facts[pluginHeaders.reason] ?? '',
    },
  };
}

/** The same first `length` bits, the others at random. */
function scatter(address: NaiveAddress, length: number, random: (n: number) => number): NaiveAddress {
  const free = BigInt(widthOf(address) - length);
  const noise = [0, 1, 2, 3].reduce((sum) => (sum << 32n) | BigInt(random(2 ** 32)), 0n);
  return { ...address, bits: address.bits ^ (noise & ((1n << free) - 1n)) };
}
