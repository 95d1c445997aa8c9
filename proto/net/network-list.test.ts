import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Address, formatAddress, parseAddress } from './address.ts';
import { parseNetworkList } from './network-list.ts';
import { NetworkSetBuilder } from './network-set.ts';
import { contains, formatPrefix, parsePrefix, prefixOf } from './prefix.ts';

const parse = (list: string | Uint8Array) => parseNetworkList(list, { onBrokenLine: 'refuse' }).networks;
const read = (ip: string): Address => {
  const address = parseAddress(ip);
  if (address === undefined) throw new Error(`${ip} is no address`);
  return address;
};

test('comments, empty lines, blanks, Windows line ends and a byte order mark are no networks', () => {
  const text = '\ufeff# abuse\r\n\r\n 203.0.113.0/24 # a customer\r\n198.51.100.7;SBL1\r\n2001:db8::/32\r\n';
  const networks = parse(new TextEncoder().encode(text));
  expect(networks.size).toBe(3);
  for (const ip of [
    '203.0.113.0',
    '203.0.113.255',
    '198.51.100.7',
    '2001:db8:ffff::1',
    '::ffff:203.0.113.9',
  ]) {
    expect(networks.has(read(ip)), ip).toBe(true);
  }
  for (const ip of ['203.0.112.255', '203.0.114.0', '198.51.100.8', '2001:db9::', '::', '0.0.0.0']) {
    expect(networks.has(read(ip)), ip).toBe(false);
  }
});

test('a mapped network is the IPv4 network', () => {
  expect(parse('::ffff:10.0.0.0/104').has(read('10.255.255.255'))).toBe(true);
});

test.each<[string, string | Uint8Array, string]>([
  ['a word', '203.0.113.0/24\r\n\r\noffice\n', "line 3: 'office' is not a network"],
  ['bits after the length', '# list\n10.1.2.3/8', "line 2: '10.1.2.3/8' has bits set after the first 8"],
  ['a length that is too long', '10.0.0.0/33', 'line 1:'],
  ['a length with a zero before it', '10.0.0.0/08', 'line 1:'],
  ['a length that is none', '10.0.0.0/', 'line 1:'],
  ['a zone', 'fe80::1%eth0', 'line 1:'],
  ['octal', '010.0.0.1', 'line 1:'],
  ['two networks', '10.0.0.1 10.0.0.2', 'line 1:'],
  ['nothing', '', 'the list is empty'],
  ['blanks', ' \r\n\n', 'the list is empty'],
  ['a page', '<!doctype html>\n<title>404</title>', 'line 1:'],
  ['UTF-16', new Uint8Array(new Uint16Array([0xfeff, 0x31, 0x30]).buffer), 'not UTF-8'],
  ['gzip', Uint8Array.of(0x1f, 0x8b, 8, 0), 'not UTF-8'],
])('%s is refused, with its line', (_, list, text) => {
  expect(() => parse(list)).toThrow(text);
});

test('a comment alone is an empty list', () => {
  expect(parse('# none').size).toBe(0);
});

test('broken lines may be left out, but not all of them', () => {
  const { networks, skipped } = parseNetworkList('10.0.0.0/8\nx\n\n300.1.1.1\n', { onBrokenLine: 'skip' });
  expect([networks.size, skipped]).toEqual([1, [2, 4]]);
  expect(() => parseNetworkList('<html>\n', { onBrokenLine: 'skip' })).toThrow('not one network');
});

test('a list in pieces is the same list, wherever it is cut', () => {
  const line = fc.constantFrom(
    ...['203.0.113.0/24', '2001:db8:7::/48', ' 198.51.100.7 ; gefährlich', '# ☠ 🏴', '', '\r', 'office', 'ü'],
  );
  const settings = fc.record({
    lines: fc.array(line, { maxLength: 8 }),
    begins: fc.constantFrom('', '\ufeff'),
    ends: fc.constantFrom('', '\n', '\r\n'),
    cuts: fc.array(fc.nat({ max: 200 }), { maxLength: 6 }),
    onBrokenLine: fc.constantFrom('refuse' as const, 'skip' as const),
  });
  const outcome = (list: Uint8Array | Uint8Array[], onBrokenLine: 'refuse' | 'skip') => {
    try {
      const { networks, skipped } = parseNetworkList(list, { onBrokenLine });
      const inside = ['203.0.113.9', '2001:db8:7::9', '198.51.100.7', '10.0.0.1'].map(read);
      return [networks.size, inside.map((one) => networks.has(one)), skipped];
    } catch (error) {
      return String(error);
    }
  };
  fc.assert(
    fc.property(settings, ({ lines, begins, ends, cuts, onBrokenLine }) => {
      const bytes = new TextEncoder().encode(begins + lines.join('\n') + ends);
      const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
      const pieces = at.slice(1).map((end, n) => bytes.slice(at[n], end));
      expect(outcome(pieces, onBrokenLine)).toEqual(outcome(bytes, onBrokenLine));
    }),
    { numRuns: 500 },
  );
});

test('a list that ends in the middle of a character is refused, whichever piece that is in', () => {
  const bytes = new TextEncoder().encode('10.0.0.0/8 # ü');
  expect(() => parse(bytes.slice(0, -1))).toThrow('not UTF-8');
  const pieces = [bytes.slice(0, -1), Uint8Array.of(0x41)];
  expect(() => parseNetworkList(pieces, { onBrokenLine: 'skip' })).toThrow('not UTF-8');
});

const address = fc
  .tuple(fc.boolean(), fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0, 0xffff, 0x8000))
  .map(
    ([isIPv4, low, high]): Address =>
      isIPv4
        ? { family: 4, bits: high * 65_536 + low }
        : {
            family: 6,
            groups: String.fromCharCode(high, high, high, high, high, high, high === 0 ? 1 : high, low),
          },
  );
const network = fc
  .tuple(address, fc.integer({ min: 0, max: 128 }))
  .map(([from, length]) => prefixOf(from, from.family === 4 ? length % 33 : length));

test('a set has what its networks have, and says how wide that holds', () => {
  fc.assert(
    fc.property(
      fc.array(network, { maxLength: 12 }),
      fc.array(address, { maxLength: 20 }),
      (networks, others) => {
        const builder = new NetworkSetBuilder();
        for (const prefix of networks) builder.add(prefix);
        const set = builder.build();
        const borders = networks.flatMap((prefix) => bordersOf(formatPrefix(prefix)));
        const asked = [...others, ...borders];
        for (const one of asked) {
          const { inside, length } = set.find(one);
          const expected = networks.some((prefix) => contains(prefix, one));
          if (inside !== expected || set.has(one) !== expected)
            throw new Error(`${formatAddress(one)}: ${inside}`);
          const scope = prefixOf(one, length);
          for (const other of asked) {
            if (contains(scope, other) && networks.some((prefix) => contains(prefix, other)) !== inside) {
              throw new Error(`${formatPrefix(scope)} says ${inside} of ${formatAddress(other)} too`);
            }
          }
        }
      },
    ),
    { numRuns: 400 },
  );
});

test('a scope is as wide as can be', () => {
  const set = parse('10.0.0.0/9\n10.128.0.0/10');
  expect(set.find(read('10.1.1.1'))).toEqual({ inside: true, length: 9 });
  expect(set.find(read('10.200.1.1'))).toEqual({ inside: false, length: 10 });
  expect(set.find(read('192.0.2.1'))).toEqual({ inside: false, length: 1 });
  expect(set.find(read('::1'))).toEqual({ inside: false, length: 0 });
});

test('a large list in any order, and one network too many', () => {
  const lines = Array.from({ length: 30_000 }, (_, n) => {
    const at = Math.imul(n, 7919) % 30_000;
    return `${20 + (at >> 14)}.${(at >> 6) & 255}.${(at & 63) * 4}.0/23`;
  });
  const set = parse(lines.join('\n'));
  expect(set.size).toBe(30_000);
  expect(set.has(read('20.7.9.255'))).toBe(true);
  expect(set.has(read('20.7.10.0'))).toBe(false);
  expect(() => parse('10.0.0.1\n'.repeat(1_000_001))).toThrow('line 1000001 is one network too many');
});

/** The first and the last address of a network, and their neighbours. */
function bordersOf(text: string): Address[] {
  const { length, ...first } = parsePrefix(text);
  if (first.family === 4) {
    const last = first.bits + 2 ** (32 - length) - 1;
    return [first.bits - 1, first.bits, last, last + 1]
      .filter((bits) => bits >= 0 && bits < 2 ** 32)
      .map((bits) => ({ family: 4, bits }));
  }
  const wide = BigInt(
    `0x${[...first.groups].map((unit) => unit.charCodeAt(0).toString(16).padStart(4, '0')).join('')}`,
  );
  const last = wide + (1n << BigInt(128 - length)) - 1n;
  return [wide - 1n, wide, last, last + 1n]
    .filter((bits) => bits >= 0n && bits < 1n << 128n)
    .map((bits) => ({
      family: 6,
      groups: String.fromCharCode(
        ...Array.from({ length: 8 }, (_, at) => Number((bits >> BigInt(112 - at * 16)) & 0xffffn)),
      ),
    }));
}
