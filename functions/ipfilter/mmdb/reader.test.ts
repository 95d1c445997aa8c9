import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Reader, type Response } from 'mmdb-lib';
import { expect, test } from 'vitest';
import { formatAddress, parseAddress } from '../../../proto/net/address.ts';
import { wordsOf } from '../../../proto/net/words.ts';
import { writeMmdb } from '../fixtures/mmdb.ts';
import { openAsns, openCountries } from './database.ts';
import { openMmdb } from './reader.ts';

const words = (ip: string) => {
  const address = parseAddress(ip);
  if (address === undefined) throw new Error(`${ip} is no address`);
  return wordsOf(address);
};
const geoIp2 = (iso: string) => ({
  country: { geoname_id: 1, iso_code: iso, names: { de: 'Land', en: 'Land' } },
});
const small = writeMmdb([
  ['8.8.0.0/16', geoIp2('US')],
  ['8.8.8.0/24', geoIp2('DE')],
  ['2a00::/16', geoIp2('AT')],
]);

test.each([24, 28, 32] as const)('records of %i bits, both families', (recordBits) => {
  const file = writeMmdb(
    [
      ['8.8.8.0/24', geoIp2('DE')],
      ['2a00::/16', geoIp2('AT')],
    ],
    { recordBits },
  );
  const countries = openCountries(file);
  expect(countries.find(words('8.8.8.8'))).toEqual({ value: 'DE', length: 24 });
  expect(countries.find(words('8.8.9.8'))).toEqual({ value: undefined, length: 24 });
  expect(countries.find(words('2a00::1'))).toEqual({ value: 'AT', length: 16 });
  expect(new Reader(Buffer.from(file)).getWithPrefixLength('8.8.8.8')).toEqual([geoIp2('DE'), 24]);
});

test('a database of IPv4 only knows no IPv6 address', () => {
  const countries = openCountries(writeMmdb([['8.0.0.0/8', geoIp2('US')]], { ipVersion: 4 }));
  expect(countries.find(words('8.8.8.8')).value).toBe('US');
  expect(countries.find(words('2a00::1'))).toEqual({ value: undefined, length: 0 });
});

test.each([
  [geoIp2('DE'), 'DE'],
  [{ country_code: 'DE' }, 'DE'],
  [{ country: 'DE' }, 'DE'],
  [{ country_code: 'ZZ' }, undefined],
  [{ continent: { code: 'EU' } }, undefined],
])('%j is the country %s', (record, country) => {
  const file = writeMmdb([
    ['8.0.0.0/8', record],
    ['9.0.0.0/8', geoIp2('FR')],
  ]);
  expect(openCountries(file).find(words('8.1.1.1')).value).toBe(country);
});

test.each([
  [{ autonomous_system_number: 64_500, autonomous_system_organization: 'Example' }, 64_500],
  [{ asn: 'AS64500' }, 64_500],
  [{ asn: 64_500 }, 64_500],
  [{ asn: 'none' }, undefined],
  [{ autonomous_system_number: 0 }, undefined],
])('%j is the AS %s', (record, asn) => {
  const file = writeMmdb([
    ['8.0.0.0/8', record],
    ['9.0.0.0/8', { asn: 1 }],
  ]);
  expect(openAsns(file).find(words('8.1.1.1')).value).toBe(asn);
});

test.each<[string, Uint8Array, string]>([
  ['an empty file', new Uint8Array(), 'the database is empty'],
  ['a page of HTML', new TextEncoder().encode('<html>404</html>'.repeat(9)), 'the file is no database'],
  ['a compressed file', Uint8Array.of(0x1f, 0x8b, 8, ...new Uint8Array(50)), 'compressed'],
  ['a file without its end', small.subarray(0, small.length - 60), 'damaged'],
  ['a file without its beginning', small.subarray(300), 'damaged'],
  [
    'a database of something else',
    writeMmdb([['8.0.0.0/8', { asn: 1 }]], { type: 'ASN' }),
    "'ASN' has no countries",
  ],
])('%s is refused', (_, file, text) => {
  expect(() => openCountries(file)).toThrow(text);
});

test('a database with any byte changed is refused, or gives an answer; it never hangs or reads outside', () => {
  for (let at = 0; at < small.length; at += 3) {
    const damaged = small.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 0xff;
    try {
      openCountries(damaged).find(words('8.8.8.8'));
    } catch (error) {
      expect(error).toMatchObject({ code: 'INPUT_INVALID' });
    }
  }
});

test('what could fail at one address in a thousand is found when the database is opened', () => {
  const records = Array.from({ length: 1500 }, (_, n) => [
    `10.${n >> 8}.${n & 255}.0/24`,
    { asn: n + 1, name: `AS ${n}` },
  ]) as readonly [string, { asn: number; name: string }][];
  const file = writeMmdb(records);
  const everyone = records.map(([network]) => words(network.replace('/24', '')));
  // the data: after the tree of 24-bit records, before the metadata
  const { node_count: nodes } = openMmdb(file).metadata;
  const [from, to] = [Number(nodes) * 6 + 16, file.length - 250];
  let refused = 0;
  for (let at = from; at < to; at += 613) {
    for (const change of [0x20, 0xff]) {
      const damaged = file.slice();
      damaged[at] = (damaged[at] ?? 0) ^ change;
      let database: ReturnType<typeof openAsns>;
      try {
        database = openAsns(damaged);
      } catch (error) {
        expect(error).toMatchObject({ code: 'INPUT_INVALID' });
        refused += 1;
        continue;
      }
      for (const address of everyone) database.find(address);
    }
  }
  expect(refused).toBeGreaterThan(20);
});

test('a node that leads out of the file is found when the database is opened, not when its address comes', () => {
  const damaged = small.slice();
  // the right record of the second node
  damaged.fill(0xff, 9, 12);
  expect(() => openMmdb(damaged)).toThrow('node 1 leads out of the file');
});

test('a record that points to itself is refused', () => {
  const file = writeMmdb([['8.0.0.0/8', { a: 'b' }]]);
  // the map of one entry becomes a pointer to offset 0
  const data = openMmdb(file);
  const at = file.findIndex((byte, index) => byte === 0xe1 && file[index + 1] === 0x41);
  file.set([0x20, 0x00], at);
  expect(() => data.record(0)).toThrow('too deep');
});

test('a real database: the same answers as mmdb-lib', () => {
  const file = readFileSync(
    createRequire(import.meta.url).resolve(
      '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb',
    ),
  );
  const own = openCountries(file);
  const other = new Reader<Response & { country_code: string }>(file);
  const known = new Set<string | undefined>();
  for (let n = 0; n < 10_000; n++) {
    const bits = Math.imul(n, 0x9e37_79b1) >>> 0;
    const ip =
      n % 2 === 0
        ? formatAddress({ family: 4, bits })
        : `2a0${n % 10}:${(bits & 0xffff).toString(16)}::${n.toString(16)}`;
    const [record, length] = other.getWithPrefixLength(ip);
    const found = own.find(words(ip));
    if (found.value !== record?.country_code || found.length !== length) throw new Error(`${ip} differs`);
    known.add(found.value);
  }
  expect(known.size).toBeGreaterThan(50);
});
