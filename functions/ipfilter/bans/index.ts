/**
 * Bans with an end, shared by all nodes: subpath `sftpgo-plugin-serverless/functions/ipfilter/bans`.
 */
import { bansService } from '../../../proto/gen/wire.ts';
import { type Address, parseAddress } from '../../../proto/net/address.ts';
import { contains, formatPrefix, parsePrefix, prefixOf } from '../../../proto/net/prefix.ts';
import { definePlugin } from '../../kit/define.ts';
import type { Context, IPFilterPlugin, IPRequest, Verdict } from '../../kit/index.ts';
import type { Check, Passed } from '../check.ts';
import { type BansOptions, checkBans } from './options.ts';
import { bansOver, isoTime, overlaps } from './service.ts';
import { allLengths, type Ban } from './store.ts';

export { type KVBinding, kvBans } from './kv.ts';
export { memoryBans } from './memory.ts';
export { BanList, type ObjectState } from './object.ts';
export { type ObjectBinding, objectBans } from './object-store.ts';
export type { BansOptions, Rate } from './options.ts';
export type { Ban, BanPage, BanStore, Bans, Counted, Counting, Limit } from './store.ts';

/** Bans, ready to be put into an ipfilter plugin. */
export interface BansPart<Env> {
  /** For `before` of `ipfilterRules`: denies what is banned, and leaves everything else to the rules. */
  readonly check: Check<Env>;
  /** The same for a `checkIP` of one's own: the verdict for an address that is banned, else undefined. */
  verdict(request: IPRequest, context: Context<Env>): Promise<Verdict | undefined>;
  /** The plugin with the service `sftpgo.Bans` beside it: `bans add|list|remove` and reports. */
  on<P extends IPFilterPlugin<Env>>(plugin: P): P;
}

/** The longest that an adapter keeps a verdict, in ms. */
const maxVerdictMs = 300_000;

/**
 * Makes bans for an ipfilter plugin.
 *
 * ```ts
 * import { ipfilterRules } from 'sftpgo-plugin-serverless/functions/ipfilter';
 * import { createBans, objectBans } from 'sftpgo-plugin-serverless/functions/ipfilter/bans';
 *
 * export { BanList } from 'sftpgo-plugin-serverless/functions/ipfilter/bans';
 *
 * interface Env { BANS: DurableObjectNamespace }
 *
 * const bans = createBans<Env>({
 *   store: objectBans((env) => env.BANS),
 *   rate: { attempts: 20, per: '1m', for: '15m' },
 * });
 * export default bans.on(ipfilterRules<Env>({ default: 'allow', rules: [] }, { before: [bans.check] }));
 * ```
 *
 * @throws PluginError CONFIG_INVALID, naming the place: `rate.attempts`
 */
export function createBans<Env = unknown>(options: BansOptions<Env>): BansPart<Env> {
  const checked = checkBans(options);
  const { store, rate, never, reachMs } = checked;

  async function check(
    address: Address,
    protocol: string,
    { env, log, id }: Context<Env>,
  ): Promise<Verdict | Passed> {
    const passed = { passed: { protocols: 'all', forMs: reachMs } } as const;
    if (never.some((network) => contains(network, address))) return passed;
    const nowMs = Date.now();
    const bans = store.open(env, log);
    const ban = (await bans.find(address, nowMs)) ?? (await offence());
    return ban === undefined ? passed : verdictOf(ban, address, nowMs);

    async function offence(): Promise<Ban | undefined> {
      if (rate === undefined || rate.of === 'reports') return undefined;
      const network = prefixOf(address, rate.length[address.family]);
      if (rate.protocols?.includes(protocol) === false || overlaps(network, never)) return undefined;
      return (await bans.count(formatPrefix(network), 'connections', rate, id, nowMs)).ban;
    }
  }

  /** For all of the ban's network unless part of that is never banned, every protocol, and no longer than the ban. */
  function verdictOf({ network, untilMs, reason }: Ban, { family }: Address, nowMs: number): Verdict {
    const prefix = parsePrefix(network);
    return {
      allowed: false,
      reason: `banned until ${isoTime(untilMs)}: ${reason}`,
      forMs: Math.min(untilMs - nowMs, maxVerdictMs),
      protocols: 'all',
      prefixLength: overlaps(prefix, never) ? (allLengths[family][0] ?? 128) : prefix.length,
    };
  }

  return {
    check,
    async verdict({ ip, protocol }, context) {
      const address = parseAddress(ip);
      if (address === undefined) return undefined;
      const said = await check(address, protocol, context);
      return 'passed' in said ? undefined : said;
    },
    on(plugin) {
      const further = { [bansService.typeName]: bansOver(checked) };
      return { ...plugin, ...definePlugin({ ...plugin.definition, further }), type: plugin.type };
    },
  };
}
