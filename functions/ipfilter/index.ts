/**
 * An SFTPGo ipfilter plugin that is configured, not programmed: ordered rules by network, list,
 * country, AS number and protocol.
 * Subpath `sftpgo-plugin-serverless/functions/ipfilter`.
 */
import { parseAddress } from '../../proto/net/address.ts';
import { deny, type IPFilterPlugin, ipfilter } from '../kit/index.ts';
import { type Check, narrowed, runChecks } from './check.ts';
import { createEngine } from './engine.ts';
import type { Rules } from './rules.ts';

export type { Check, Passed } from './check.ts';
export type { Rule, Rules } from './rules.ts';
export type { Content, ListSource, Place, Source } from './source/source.ts';

/** What a rule list may have beside it. */
export interface RulesOptions<Env> {
  /** Asked in this order before the rules: bans, for example. */
  readonly before?: readonly Check<Env>[];
}

/** A rule list as a plugin. */
export interface RulesPlugin<Env = unknown> extends IPFilterPlugin<Env> {
  /** What is probably not meant: rules that can never match, for example. Also logged once. */
  readonly warnings: readonly string[];
}

/**
 * Makes an ipfilter plugin of ordered rules: the first rule that matches decides, `default` decides for the rest.
 *
 * ```ts
 * export default ipfilterRules({
 *   default: 'deny',
 *   rules: [
 *     { action: 'deny', networks: ['203.0.113.66'], reason: 'abuse' },
 *     { action: 'allow', networks: ['203.0.113.0/24', '2001:db8:7::/48'] },
 *     { action: 'allow', networks: ['0.0.0.0/0', '::/0'], protocols: ['HTTP'] },
 *   ],
 * });
 * ```
 *
 * @throws PluginError CONFIG_INVALID, naming the place: `rules[2].networks[1]`
 */
export function ipfilterRules<Env = unknown>(
  list: Rules,
  { before = [] }: RulesOptions<Env> = {},
): RulesPlugin<Env> {
  const engine = createEngine<Env>(list);
  for (const message of engine.warnings) console.warn(JSON.stringify({ level: 'warn', message }));
  const plugin = ipfilter<Env>({
    async checkIP({ ip, protocol }, context) {
      const address = parseAddress(ip);
      if (address === undefined) return deny('not an address');
      const checked = await runChecks(before, address, protocol, context);
      if ('verdict' in checked) return checked.verdict;
      const verdict = await engine.verdict(address, protocol, context);
      return narrowed(verdict, checked.limits, protocol);
    },
    reload: (context) => engine.reload(context),
  });
  return { ...plugin, warnings: engine.warnings };
}
