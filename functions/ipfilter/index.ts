/**
 * An SFTPGo ipfilter plugin that is configured, not programmed: ordered allow and deny lists.
 * Subpath `sftpgo-plugin-serverless/functions/ipfilter`.
 */
import {
  allow,
  deny,
  type IPFilterPlugin,
  ipfilter,
  type Protocol,
  type VerdictOptions,
} from '../kit/index.ts';
import { type Column, columnOf, columns, compile } from './compile.ts';
import { checkRules, type Rules } from './rules.ts';
import { unreachableRules } from './unreachable.ts';

export type { Rule, Rules } from './rules.ts';

/** A rule list as a plugin. */
export interface RulesPlugin extends IPFilterPlugin {
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
export function ipfilterRules(list: Rules): RulesPlugin {
  const rules = checkRules(list);
  const { firstMatch } = compile(rules);
  const warnings = unreachableRules(rules).map(
    (index) => `rules[${index}] can never match: earlier rules decide for all of its addresses`,
  );
  for (const message of warnings) console.warn(JSON.stringify({ level: 'warn', message }));
  const plugin = ipfilter({
    checkIP({ ip, protocol }) {
      const index = firstMatch(ip, columnOf(protocol));
      const rule = rules[index];
      const options = { for: rule?.for ?? list.for ?? '5m', ...scopeOf(index, ip, protocol) };
      return (rule?.action ?? list.default) === 'allow'
        ? allow(options)
        : deny(rule?.reason ?? 'no rule matches and the default is deny', options);
    },
  });
  return { ...plugin, warnings };

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
