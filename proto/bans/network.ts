import { PluginError } from '../error.ts';
import { formatPrefix, type Prefix, parsePrefix } from '../net/prefix.ts';

/**
 * The shortest prefixes that can be banned: what the adapter takes as the scope of one verdict
 * (docs/security.md), and a mistake like 0.0.0.0/0 keeps nobody out.
 */
export const shortestBan = { 4: 16, 6: 32 } as const;

/**
 * Reads the network of a ban: a single address, or a prefix of at least {@link shortestBan} bits.
 *
 * @throws PluginError INPUT_INVALID
 */
export function parseBanNetwork(text: string): Prefix {
  const prefix = parsePrefix(text);
  const shortest = shortestBan[prefix.family];
  if (prefix.length >= shortest) return prefix;
  throw new PluginError('INPUT_INVALID', {
    happened: `${formatPrefix(prefix)} is too wide for a ban`,
    expected: `IPv${prefix.family} networks from /${shortest} on`,
    remedy: 'Ban smaller networks, or write a rule of the function.',
  });
}
