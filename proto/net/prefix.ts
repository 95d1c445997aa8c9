import { PluginError } from '../error.ts';
import { type Address, formatAddress, isMapped, lowBits, parseAddress, parseIPv6Groups } from './address.ts';

/** A network: an address whose bits after `length` are zero, and the number of bits that count. */
export type Prefix = Address & {
  /** 0 to 32 for IPv4, 0 to 128 for IPv6. */
  readonly length: number;
};

/**
 * Parses `address/length`, or a bare address as the network of that one address.
 * `::ffff:10.0.0.0/104` is `10.0.0.0/8`. An IPv6 prefix never contains an IPv4 address, not even `::/0`.
 *
 * @throws PluginError INPUT_INVALID: not a network, or bits set after the length (a typing mistake more often
 * than not); the remedy then names the network that was probably meant.
 */
export function parsePrefix(text: string): Prefix {
  const slash = text.indexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  const digits = slash < 0 ? undefined : text.slice(slash + 1);
  const address = host.includes('%') ? undefined : parseAddress(host);
  if (address === undefined || (digits !== undefined && !/^(?:0|[1-9]\d{0,2})$/.test(digits))) {
    throw refusal(text, 'is not a network', 'Write 203.0.113.0/24, 2001:db8:7::/48 or a single address.');
  }
  const groups = parseIPv6Groups(host);
  const written = groups === undefined ? 32 : 128;
  const length = digits === undefined ? written : Number(digits);
  if (length > written) {
    throw refusal(text, `has a length above ${written}`, `Use a length from 0 to ${written}.`);
  }
  const own = groups === undefined ? address : { family: 6 as const, groups };
  const network = prefixOf(own, length);
  if (formatAddress(network) !== formatAddress(own)) {
    throw refusal(
      text,
      `has bits set after the first ${length}`,
      `Write ${formatPrefix(network)} for the network or ${formatAddress(address)} for the one address.`,
    );
  }
  if (groups === undefined || !isMapped(groups)) return network;
  return { family: 4, bits: lowBits(groups), length: length - 96 };
}

/** The network of `length` bits that the address lies in. */
export function prefixOf(address: Address, length: number): Prefix {
  if (address.family === 4) return { family: 4, bits: maskIPv4(address.bits, length) >>> 0, length };
  return { family: 6, groups: maskGroups(address.groups, length).padEnd(8, '\0'), length };
}

/** Does the network contain the address, or the whole of another network? */
export function contains(outer: Prefix, inner: Address | Prefix): boolean {
  if ('length' in inner && inner.length < outer.length) return false;
  if (outer.family === 4) {
    return inner.family === 4 && maskIPv4(inner.bits, outer.length) >>> 0 === outer.bits;
  }
  return (
    inner.family === 6 && maskGroups(inner.groups, outer.length) === maskGroups(outer.groups, outer.length)
  );
}

/** The canonical text, always with its length: `192.0.2.1/32`, `2001:db8::/32`. */
export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix)}/${prefix.length}`;
}

/** The first `length` bits as a signed 32-bit integer (a small integer to V8). */
export function maskIPv4(bits: number, length: number): number {
  return length === 0 ? 0 : bits & (-1 << (32 - length));
}

/** The groups that the first `length` bits reach into, the last one masked. */
export function maskGroups(groups: string, length: number): string {
  const whole = length >>> 4;
  const rest = length & 15;
  if (rest === 0) return groups.slice(0, whole);
  return groups.slice(0, whole) + String.fromCharCode(groups.charCodeAt(whole) & (0xffff << (16 - rest)));
}

function refusal(text: string, what: string, remedy: string): PluginError {
  return new PluginError('INPUT_INVALID', {
    happened: `'${text.slice(0, 60)}' ${what}`,
    expected: 'an address, or address/length with no bit set after the length',
    remedy,
  });
}
