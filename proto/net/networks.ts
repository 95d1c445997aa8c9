import { parseAddress } from './address.ts';
import { parsePrefix } from './prefix.ts';
import { PrefixMap } from './prefix-map.ts';

/** A set of networks to ask about an address. */
export interface Networks {
  /**
   * Is the address in one of the networks? Takes IPv4 and IPv6 text; `::ffff:192.0.2.1` counts as 192.0.2.1, a
   * zone is ignored. Text that is no address is in no network.
   */
  has(ip: string): boolean;
}

/**
 * Builds a set of networks once, to be asked many times.
 *
 * ```ts
 * const office = networks('203.0.113.0/24', '2001:db8:7::/48', '198.51.100.7');
 * office.has('203.0.113.9'); // true
 * ```
 *
 * @throws PluginError INPUT_INVALID for a prefix that is none, see {@link parsePrefix}.
 */
export function networks(...prefixes: readonly string[]): Networks {
  const map = new PrefixMap<true>();
  for (const text of prefixes) map.set(parsePrefix(text), true);
  return {
    has(ip) {
      const address = parseAddress(ip);
      return address !== undefined && map.get(address) === true;
    },
  };
}
