import { expect, test } from 'vitest';
import { formatPrefix } from '../net/prefix.ts';
import { parseBanNetwork } from './network.ts';

test.each([
  ['203.0.113.7', '203.0.113.7/32'],
  ['203.0.0.0/16', '203.0.0.0/16'],
  ['::ffff:203.0.113.7', '203.0.113.7/32'],
  ['2001:db8::/32', '2001:db8::/32'],
])('%s can be banned', (text, network) => {
  expect(formatPrefix(parseBanNetwork(text))).toBe(network);
});

test.each(['0.0.0.0/0', '203.0.0.0/15', '::/0', '2001:db8::/31', '::ffff:0:0/96', '::ffff:203.0.0.0/111'])(
  '%s is no network to ban',
  (text) => {
    expect(() => parseBanNetwork(text)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
  },
);

test('a network that is too wide is named with what can be banned', () => {
  expect(() => parseBanNetwork('10.0.0.0/8')).toThrow(
    '10.0.0.0/8 is too wide for a ban; expected IPv4 networks from /16 on',
  );
});
