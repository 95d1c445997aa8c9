import { BlockList } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Address, formatAddress, parseAddress } from './address.ts';
import { networks } from './networks.ts';
import { contains, formatPrefix, type Prefix, parsePrefix, prefixOf } from './prefix.ts';
import { PrefixMap } from './prefix-map.ts';

/** Addresses that share long beginnings, so that networks nest and miss by one bit. */
const address: fc.Arbitrary<Address> = fc.oneof(
  fc.tuple(fc.constantFrom(10, 192), fc.nat(3), fc.nat(1), fc.nat(255)).map((o) => read(o.join('.'))),
  fc
    .tuple(fc.nat(3), fc.constantFrom('', '8000:', 'ffff:'), fc.nat(0xffff))
    .map(([a, b, c]) => read(`2001:db8:${a}:${b}:${c.toString(16)}`)),
);

const prefix: fc.Arbitrary<Prefix> = fc
  .tuple(address, fc.nat(128))
  .map(([a, length]) => prefixOf(a, a.family === 4 ? length % 33 : length));

test('finds what a search through a list finds, while networks come and go', () => {
  const step = fc.record({ prefix, value: fc.nat(), remove: fc.boolean(), ask: address });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const map = new PrefixMap<number>();
      const list = new Map<string, { prefix: Prefix; value: number }>();
      for (const { prefix, value, remove, ask } of steps) {
        const key = formatPrefix(prefix);
        if (remove) {
          expect(map.delete(prefix)).toBe(list.delete(key));
        } else {
          map.set(prefix, value);
          list.set(key, { prefix, value });
        }
        expect(map.size).toBe(list.size);
        expect(map.at(prefix)).toBe(list.get(key)?.value);
        const holding = [...list.values()].filter((entry) => contains(entry.prefix, ask));
        const expected = holding.sort((a, b) => b.prefix.length - a.prefix.length)[0];
        expect(map.get(ask)).toBe(expected?.value);
        expect(map.match(ask)).toEqual(expected);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('agrees with node:net on who is in a set of networks', () => {
  fc.assert(
    fc.property(fc.array(prefix, { maxLength: 8 }), fc.array(address, { maxLength: 12 }), (set, asked) => {
      // node:net lets an IPv6 subnet contain IPv4 addresses; ours keeps the families apart, so: a list each.
      const reference = { ipv4: new BlockList(), ipv6: new BlockList() };
      for (const p of set) reference[family(p)].addSubnet(formatAddress(p), p.length, family(p));
      const ours = networks(...set.map(formatPrefix));
      for (const a of asked) {
        expect(ours.has(formatAddress(a))).toBe(reference[family(a)].check(formatAddress(a), family(a)));
      }
    }),
    { numRuns: 1_500 },
  );
});

test('a set of networks takes mapped addresses and zones, and no nonsense', () => {
  const office = networks('203.0.113.0/24', '2001:db8:7::/48', 'fe80::/10');
  expect(['::ffff:203.0.113.9', '2001:db8:7::1', 'fe80::1%eth0'].map(office.has)).toEqual([true, true, true]);
  expect(['203.0.114.1', '2001:db8:8::1', '203.0.113.', ''].map(office.has)).toEqual([
    false,
    false,
    false,
    false,
  ]);
  expect(networks().has('203.0.113.9')).toBe(false);
  expect(() => networks('203.0.113.1/24')).toThrow(/203\.0\.113\.0\/24/);
});

test('holds a hundred thousand addresses', () => {
  const map = new PrefixMap<number>();
  for (let n = 0; n < 100_000; n++) map.set({ family: 4, bits: n * 40_503, length: 32 }, n);
  map.set(parsePrefix('0.0.0.0/0'), -1);
  expect(map.size).toBe(100_001);
  expect(map.get({ family: 4, bits: 77 * 40_503 })).toBe(77);
  expect(map.get({ family: 4, bits: 77 * 40_503 + 1 })).toBe(-1);
});

function read(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`${text} is no address`);
  return parsed;
}

function family(a: Address): 'ipv4' | 'ipv6' {
  return a.family === 4 ? 'ipv4' : 'ipv6';
}
