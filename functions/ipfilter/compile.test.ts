import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Address, parseAddress } from '../../proto/net/address.ts';
import { contains, formatPrefix, type Prefix, prefixOf } from '../../proto/net/prefix.ts';
import type { Protocol } from '../kit/verdict.ts';
import { applies, type Column, columns, compile } from './compile.ts';
import { checkRules, type Rule } from './rules.ts';
import { unreachableRules } from './unreachable.ts';

/** A world of 64 IPv4 and 64 IPv6 addresses: small enough to try them all. */
const everyone: readonly string[] = Array.from({ length: 64 }, (_, n) => [
  `10.0.0.${n}`,
  `2001:db8::${n.toString(16)}`,
]).flat();

const network = fc.tuple(fc.constantFrom(...everyone), fc.integer({ min: 0, max: 6 })).map(([ip, free]) => {
  const address = read(ip);
  return formatPrefix(prefixOf(address, (address.family === 4 ? 32 : 128) - free));
});
const rule: fc.Arbitrary<Rule> = fc.record(
  {
    action: fc.constantFrom('allow', 'deny'),
    networks: fc.array(network, { minLength: 1, maxLength: 4 }),
    protocols: fc.subarray<Protocol>(['SSH', 'FTP', 'DAV', 'HTTP'], { minLength: 1 }),
  },
  { requiredKeys: ['action', 'networks'] },
);
const list = fc.array(rule, { maxLength: 6 }).map((rules) => checkRules({ default: 'deny', rules }));

test('decides as reading the list from the top does, and names exactly the rules that never decide', () => {
  fc.assert(
    fc.property(list, (rules) => {
      const { firstMatch } = compile(rules);
      const deciding = new Set<number>();
      for (const column of columns) {
        for (const ip of everyone) {
          const address = read(ip);
          const expected = rules.findIndex(
            (r) => applies(r, column) && r.networks.some((n: Prefix) => contains(n, address)),
          );
          if (firstMatch(ip, column) !== expected)
            throw new Error(`${ip} over '${column}': not rule ${expected}`);
          deciding.add(expected);
        }
      }
      expect(unreachableRules(rules)).toEqual([...rules.keys()].filter((index) => !deciding.has(index)));
    }),
    { numRuns: 200 },
  );
});

test('two halves cover their whole; a family never covers the other', () => {
  const unreachable = (...networks: string[][]) =>
    unreachableRules(
      checkRules({ default: 'deny', rules: networks.map((n) => ({ action: 'allow', networks: n })) }),
    );
  expect(unreachable(['10.0.0.0/25', '10.0.0.128/25'], ['10.0.0.0/24'])).toEqual([1]);
  expect(unreachable(['10.0.0.0/25'], ['10.0.0.128/26'], ['10.0.0.0/24'])).toEqual([]);
  expect(unreachable(['::/0'], ['0.0.0.0/0'], ['255.255.255.255'], ['::'])).toEqual([2, 3]);
});

test.each<[Column, number]>([
  ['SSH', 0],
  ['HTTP', 1],
  ['other', 2],
  ['', 0],
])('asked about the protocol %j, rule %i decides', (column, index) => {
  const rules = checkRules({
    default: 'deny',
    rules: [
      { action: 'deny', networks: ['10.0.0.0/8'], protocols: ['SSH'] },
      { action: 'allow', networks: ['10.0.0.0/8'], protocols: ['HTTP'] },
      { action: 'allow', networks: ['10.0.0.0/8'] },
    ],
  });
  expect(compile(rules).firstMatch('10.1.2.3', column)).toBe(index);
});

test('a long list is compiled', () => {
  const networks = Array.from({ length: 20_000 }, (_, n) => `10.${n >> 8}.${n & 255}.0/28`);
  const rules = checkRules({ default: 'allow', rules: [{ action: 'deny', networks }] });
  expect(compile(rules).firstMatch('10.3.7.9', 'SSH')).toBe(0);
  expect(compile(rules).firstMatch('10.3.7.16', 'SSH')).toBe(-1);
  expect(unreachableRules(rules)).toEqual([]);
});

function read(ip: string): Address {
  const address = parseAddress(ip);
  if (address === undefined) throw new Error(`${ip} is no address`);
  return address;
}
