import { isIP, isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatAddress, parseAddress, parseIPv4 } from './address.ts';

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['0.0.0.0', '0.0.0.0'],
  ['255.255.255.255', '255.255.255.255'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:201', '192.0.2.1'],
  ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1%eth0', '192.0.2.1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['2001:DB8::1', '2001:db8::1'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
])('%s is the address %s', (text, canonical) => {
  const address = parseAddress(text);
  expect(address && formatAddress(address)).toBe(canonical);
});

test.each([
  '',
  '1',
  '1.2.3',
  '1.2.3.4.',
  '.1.2.3.4',
  '1..3.4',
  '256.1.1.1',
  '01.2.3.4',
  '1.2.3.00',
  '1.2.3.4 ',
  '+1.2.3.4',
  '1.2.3.4%eth0',
  '1.2.3.4.5',
  '0x7f.0.0.1',
  '::ffff:01.2.3.4',
  ':',
  ':::',
  ':1',
  '1:',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7:8::',
  '::1:2:3:4:5:6:7:8',
  '12345::',
  '::g',
  'fe80::1%',
  '1:2:3:4:5:6:7:1.2.3.4',
  '::1.2.3',
  '::1.2.3.4:5',
  '/run/sftpgo.sock',
  '@',
  '1.2.3.4:22',
  '[::1]',
])('%j is no address', (text) => {
  expect(parseAddress(text)).toBeUndefined();
});

test('accepts exactly what node:net accepts, on texts near the edge', () => {
  const nearly = fc
    .array(fc.constantFrom('0', '1', '25', '255', '256', 'ffff', '00', ':', '::', '.', 'a', 'F', ':0:0'), {
      maxLength: 17,
    })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.oneof(nearly, fc.ipV4(), fc.ipV6(), fc.string()), (text) => {
      if (text.includes('%')) return;
      expect(parseAddress(text) !== undefined).toBe(isIP(text) !== 0);
      expect(parseIPv4(text) >= 0).toBe(isIPv4(text));
    }),
    { numRuns: 10_000 },
  );
});

test('the canonical text is a fixed point and the same address to the platform', () => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const address = parseAddress(text);
      if (address === undefined) throw new Error(`${text} was not read`);
      const canonical = formatAddress(address);
      expect(parseAddress(canonical)).toEqual(address);
      if (address.family === 6 && isIPv6(canonical)) {
        // URL writes IPv6 hosts in RFC 5952 form (WHATWG URL §3.5, IPv6 serializer).
        expect(`[${canonical}]`).toBe(new URL(`http://[${text}]/`).hostname);
      }
    }),
    { numRuns: 5_000 },
  );
});
