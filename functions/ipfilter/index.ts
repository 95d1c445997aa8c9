/**
 * An SFTPGo ipfilter plugin that is configured, not programmed: ordered allow and deny lists.
 * Subpath `sftpgo-plugin-serverless/functions/ipfilter`.
 */

import { parseAddress } from '../../proto/net/address.ts';
import {
  allow,
  deny,
  type IPFilterPlugin,
  type IPRequest,
  ipfilter,
  type Protocol,
  type Verdict,
  type VerdictOptions,
} from '../kit/index.ts';
import { type Check, narrowed, runChecks } from './check.ts';
import { type Column, columnOf, columns, compile } from './compile.ts';
import { checkRules, type Rules } from './rules.ts';
import { unreachableRules } from './unreachable.ts';

export type { Check, Passed } from './check.ts';
export type { Rule, Rules } from './rules.ts';

/** What a rule list may have beside it. */
export interface RulesOptions<Env> {
  /** Asked in this order before the rules: bans, for example. */
  readonly before?: readonly Check<Env>[];
}

/** A rule list as a plugin. */
export interface RulesPlugin<Env = unknown> extends IPFilterPlugin<Env> {
  /** What is probably not meant: rules that can never match. Also logged once. */
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
  const rules = checkRules(list);
  const { firstMatch } = compile(rules);
  const warnings = unreachableRules(rules).map(
    (index) => `rules[${index}] can never match: earlier rules decide for all of its addresses`,
  );
  for (const message of warnings) console.warn(JSON.stringify({ level: 'warn', message }));
  const plugin = ipfilter<Env>({
    async checkIP({ ip, protocol }, context) {
      if (before.length === 0) return verdictOf(ip, protocol);
      const address = parseAddress(ip);
      if (address === undefined) return deny('not an address');
      const checked = await runChecks(before, address, protocol, context);
      return 'verdict' in checked
        ? checked.verdict
        : narrowed(verdictOf(ip, protocol), checked.limits, protocol);
    },
  });
  return { ...plugin, warnings };

  function verdictOf(ip: string, protocol: IPRequest['protocol']): Verdict {
    const index = firstMatch(ip, columnOf(protocol));
    const rule = rules[index];
    const options = { for: rule?.for ?? list.for ?? '5m', ...scopeOf(index, ip, protocol) };
    return (rule?.action ?? list.default) === 'allow'
      ? allow(options)
      : deny(rule?.reason ?? 'no rule matches and the default is deny', options);
  }

  /** The protocols that the same rule decides for: the adapter's cache then answers for those too. */
  function scopeOf(index: number, ip: string, asked: string): Pick<VerdictOptions, 'protocols'> {
    const same = columns.filter((column) => firstMatch(ip, column) === index);
    if (same.length === columns.length) return { protocols: 'all' };
    const protocols = same.filter(isNamed);
    return protocols.some((protocol) => protocol === asked) ? { protocols } : {};
  }
}

function isNamed(column: Column): column is Protocol {
  return column !== '' && column !== 'other';
}
