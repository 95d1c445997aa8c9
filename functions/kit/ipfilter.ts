import { formatCache, formatReason, formatScope, type Lifetimes, pluginHeaders } from '../../proto/facts.ts';
import { type CheckIPRequest, ipFilterService } from '../../proto/gen/wire.ts';
import { type Address, formatAddress, parseAddress } from '../../proto/net/address.ts';
import { formatPrefix, prefixOf } from '../../proto/net/prefix.ts';
import type { Context } from './context.ts';
import { definePlugin } from './define.ts';
import type { Outcome, Plugin } from './plugin.ts';
import { refusal } from './refusal.ts';
import type { Protocol, Verdict } from './verdict.ts';

/** Who asks to connect. */
export interface IPRequest {
  /** Canonical text: no zone, and an IPv4-mapped IPv6 address as the IPv4 address it is. */
  readonly ip: string;
  /** Of SFTPGo up to 2.4, which does not say: the empty string. */
  readonly protocol: Protocol | '';
}

/** What the author of an ipfilter plugin writes. */
export interface IPFilter<Env> {
  /**
   * Decides with {@link allow} or {@link deny}. SFTPGo asks for each SSH and FTP connection, and for each HTTP
   * and WebDAV request. What it throws counts as "unavailable": then the adapter's `onUnavailable` decides.
   */
  checkIP(request: IPRequest, context: Context<Env>): Verdict | Promise<Verdict>;
  /** The administrator reloaded SFTPGo: read lists again. The adapter forgets its own cache by itself. */
  reload?(context: Context<Env>): void | Promise<void>;
}

/** What {@link ipfilter} makes: the default export of an ipfilter function. */
export interface IPFilterPlugin<Env = unknown> extends Plugin<Env> {
  readonly type: 'ipfilter';
}

/**
 * Makes an SFTPGo ipfilter plugin.
 *
 * ```ts
 * import { allow, deny, ipfilter } from 'sftpgo-plugin-serverless/kit';
 *
 * export default ipfilter<{ BANS: KVNamespace }>({
 *   async checkIP({ ip }, { env }) {
 *     return (await env.BANS.get(ip)) ? deny('banned', { for: '5m' }) : allow({ for: '5m' });
 *   },
 * });
 * ```
 */
export function ipfilter<Env = unknown>(filter: IPFilter<Env>): IPFilterPlugin<Env> {
  const { checkIP, reload } = ipFilterService.methods;
  const plugin = definePlugin<Env>({
    type: 'ipfilter',
    service: ipFilterService.typeName,
    maxRequestBytes: 1024 * 1024,
    rpcs: {
      [checkIP.name]: { table: checkIP, run: (input, context) => decide(filter, input, context) },
      [reload.name]: {
        table: reload,
        async run(_, context) {
          await filter.reload?.(context);
          return {};
        },
      },
    },
  });
  return { ...plugin, type: 'ipfilter' };
}

async function decide<Env>(
  filter: IPFilter<Env>,
  input: CheckIPRequest,
  context: Context<Env>,
): Promise<Outcome> {
  const address = parseAddress(input.ip);
  if (address === undefined) return refusal('invalid_argument', 'ip is not an address');
  const protocol = input.protocol as IPRequest['protocol'];
  const verdict: unknown = await filter.checkIP({ ip: formatAddress(address), protocol }, context);
  if (!isVerdict(verdict))
    throw new TypeError('checkIP must return allow() or deny(…), and returned neither');
  const scope = scopeOf(address, protocol, verdict);
  const facts = {
    ...(scope !== undefined && {
      [pluginHeaders.cache]: formatCache(lifetimesOf(verdict)),
      [pluginHeaders.scope]: scope,
    }),
    [pluginHeaders.reason]: formatReason(verdict.reason ?? ''),
  };
  return verdict.allowed ? { facts } : refusal('permission_denied', 'denied', facts);
}

function lifetimesOf({ forMs = 0, staleWhileRevalidateMs, staleIfErrorMs }: Verdict): Lifetimes {
  return {
    freshMs: forMs,
    ...(staleWhileRevalidateMs && { staleWhileRevalidateMs }),
    ...(staleIfErrorMs !== undefined && { staleMs: staleIfErrorMs }),
  };
}

/** What plugin-scope has room for; SFTPGo's names are shorter. */
const protocolName = /^[A-Za-z]{1,32}$/;

/**
 * One address, and the protocol that was asked about unless the verdict says more. Undefined where plugin-scope cannot
 * name what the host asked about: such a verdict is for this one question.
 */
function scopeOf(address: Address, asked: IPRequest['protocol'], verdict: Verdict): string | undefined {
  const [widest, single] = address.family === 4 ? [16, 32] : [32, 128];
  // a length that is no number, by a verdict made by hand, is the one address too
  const length = Math.min(Math.max(Math.ceil(verdict.prefixLength ?? single), widest), single);
  const prefix = formatPrefix(prefixOf(address, Number.isNaN(length) ? single : length));
  const { protocols = asked === '' ? 'all' : [asked] } = verdict;
  if (protocols === 'all' || protocols.length === 0) return formatScope({ prefix });
  const isNameless = protocols.some((name) => name === asked) && !protocolName.test(asked);
  return isNameless ? undefined : formatScope({ prefix, protocols });
}

/** JavaScript authors forget a `return`: undefined must not become an allow. */
function isVerdict(value: unknown): value is Verdict {
  return (
    typeof value === 'object' && value !== null && 'allowed' in value && typeof value.allowed === 'boolean'
  );
}
