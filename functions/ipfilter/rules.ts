import { PluginError } from '../../proto/error.ts';
import { type Prefix, parsePrefix } from '../../proto/net/prefix.ts';
import { type Duration, durationMs } from '../kit/duration.ts';
import type { Protocol } from '../kit/verdict.ts';

/** One line of a rule list. */
export interface Rule {
  readonly action: 'allow' | 'deny';
  /** IPv4 and IPv6 networks or single addresses: `203.0.113.0/24`, `2001:db8:7::/48`, `198.51.100.7`. */
  readonly networks: readonly string[];
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
}

/** A rule that was checked, its networks parsed. */
export interface CheckedRule {
  readonly action: 'allow' | 'deny';
  readonly networks: readonly Prefix[];
  readonly protocols?: readonly Protocol[];
  readonly reason: string;
  readonly for?: Duration;
}

const protocolNames: readonly string[] = ['SSH', 'FTP', 'DAV', 'HTTP'] satisfies Protocol[];
const ruleKeys = ['action', 'networks', 'protocols', 'reason', 'for'];
const listKeys = ['default', 'rules', 'for'];

/**
 * Checks a rule list, also one that comes from JSON.
 *
 * @throws PluginError CONFIG_INVALID, naming the place: `rules[2].networks[1]`
 */
export function checkRules(list: Rules): readonly CheckedRule[] {
  checkKeys(list, listKeys, 'the rule list');
  checkAction(
    list.default,
    'default',
    "Say what happens to addresses that no rule matches: default: 'deny'.",
  );
  checkDuration(list.for, 'for');
  checkList(list.rules, 'rules');
  return list.rules.map((rule, index) => checkRule(rule, `rules[${index}]`));
}

function checkRule(rule: Rule, place: string): CheckedRule {
  checkKeys(rule, ruleKeys, place);
  checkAction(rule.action, `${place}.action`, "Write action: 'allow' or action: 'deny'.");
  checkList(rule.networks, `${place}.networks`);
  if (rule.networks.length === 0) {
    throw invalid(
      `${place}.networks is empty`,
      'at least one network',
      "All addresses are ['0.0.0.0/0', '::/0'].",
    );
  }
  if (rule.protocols !== undefined) checkProtocols(rule.protocols, `${place}.protocols`);
  checkDuration(rule.for, `${place}.for`);
  if (rule.reason !== undefined && typeof rule.reason !== 'string') {
    throw invalid(`${place}.reason is not text`, 'a short text', 'Leave it out or write a text.');
  }
  return {
    ...rule,
    networks: rule.networks.map((text, at) =>
      within(`${place}.networks[${at}]`, () => parsePrefix(String(text))),
    ),
    reason: rule.reason ?? place,
  };
}

function checkProtocols(protocols: readonly Protocol[], place: string): void {
  checkList(protocols, place);
  const unknown = protocols.findIndex((name) => !protocolNames.includes(name));
  if (protocols.length > 0 && unknown < 0) return;
  const which =
    protocols.length === 0 ? `${place} is empty` : `${place}[${unknown}] is no protocol of SFTPGo`;
  throw invalid(which, protocolNames.join(', '), 'Leave protocols out to mean all of them.');
}

function checkDuration(duration: Duration | undefined, place: string): void {
  if (duration !== undefined) within(place, () => durationMs(duration));
}

function checkAction(action: string, place: string, remedy: string): void {
  if (action !== 'allow' && action !== 'deny') {
    throw invalid(`${place} is ${action === undefined ? 'missing' : 'neither'}`, 'allow or deny', remedy);
  }
}

function checkList(list: readonly unknown[], place: string): void {
  if (!Array.isArray(list)) throw invalid(`${place} is not a list`, 'a list', 'Write it in brackets: [ … ].');
}

function checkKeys(value: object, known: readonly string[], place: string): void {
  if (typeof value !== 'object' || value === null) {
    throw invalid(`${place} is not an object`, `an object with ${known.join(', ')}`, 'See the example.');
  }
  const odd = Object.keys(value).find((key) => !known.includes(key));
  if (odd !== undefined) throw invalid(`${place} has a key '${odd}'`, known.join(', '), 'Correct its name.');
}

/** Adds the place to what `read` complains about. */
function within<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    throw invalid(`${place}: ${error.happened}`, error.expected, error.remedy);
  }
}

function invalid(happened: string, expected: string, remedy: string): PluginError {
  return new PluginError('CONFIG_INVALID', { happened, expected, remedy });
}
