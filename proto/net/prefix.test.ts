import { expect, test } from 'vitest';
import { PluginError } from '../error.ts';
import { parseAddress } from './address.ts';
import { contains, formatPrefix, parsePrefix, prefixOf } from './prefix.ts';

test.each([
  ['203.0.113.0/24', '203.0.113.0/24'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['192.0.2.1', '192.0.2.1/32'],
  ['2001:DB8:7::/48', '2001:db8:7::/48'],
  ['2001:db8::1', '2001:db8::1/128'],
  ['::/0', '::/0'],
  ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
  ['::ffff:0:0/96', '0.0.0.0/0'],
  ['::ffff:192.0.2.1', '192.0.2.1/32'],
])('%s is the network %s', (text, canonical) => {
  expect(formatPrefix(parsePrefix(text))).toBe(canonical);
});

test.each([
  ['10.1.2.3/8', 'Write 10.0.0.0/8 for the network or 10.1.2.3 for the one address.'],
  ['2001:db8::1/64', 'Write 2001:db8::/64 for the network or 2001:db8::1 for the one address.'],
  ['128.0.0.0/0', 'Write 0.0.0.0/0'],
  ['::ffff:10.0.0.0/90', 'Write ::ffc0:0:0/90'],
  ['10.0.0.0/33', 'Use a length from 0 to 32.'],
  ['2001:db8::/129', 'Use a length from 0 to 128.'],
  ['10.0.0.0/', 'Write 203.0.113.0/24'],
  ['10.0.0.0/08', 'Write 203.0.113.0/24'],
  ['10.0.0.0/8/8', 'Write 203.0.113.0/24'],
  ['10.0.0.0/-1', 'Write 203.0.113.0/24'],
  ['10.0.0/8', 'Write 203.0.113.0/24'],
  ['fe80::1%eth0/64', 'Write 203.0.113.0/24'],
  ['office', 'Write 203.0.113.0/24'],
])('%s is refused with a way out', (text, remedy) => {
  let caught: unknown;
  try {
    parsePrefix(text);
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(PluginError);
  expect(caught).toMatchObject({ code: 'INPUT_INVALID', happened: expect.stringContaining(text) });
  expect((caught as PluginError).remedy).toContain(remedy);
});

test('a network contains itself, its parts and its addresses, never the other family', () => {
  const eight = parsePrefix('10.0.0.0/8');
  expect(contains(eight, eight)).toBe(true);
  expect(contains(eight, parsePrefix('10.9.0.0/16'))).toBe(true);
  expect(contains(parsePrefix('10.9.0.0/16'), eight)).toBe(false);
  expect(contains(parsePrefix('::/0'), eight)).toBe(false);
  expect(contains(parsePrefix('0.0.0.0/0'), parsePrefix('::/0'))).toBe(false);
  const address = parseAddress('2001:db8:7:ffff::1');
  if (address === undefined) throw new Error('not read');
  expect(contains(parsePrefix('2001:db8:7::/48'), address)).toBe(true);
  expect(contains(parsePrefix('2001:db8:6::/48'), address)).toBe(false);
  expect(formatPrefix(prefixOf(address, 33))).toBe('2001:db8::/33');
});
