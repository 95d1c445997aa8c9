import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Reader, type Response } from 'mmdb-lib';
import { expect, test } from 'vitest';
import { type Address, formatAddress, parseAddress } from '../../proto/net/address.ts';
import { contains, parsePrefix, prefixOf } from '../../proto/net/prefix.ts';
import { createEngine } from './engine.ts';
import { createContext } from './fixtures/context.ts';
import type { Rules } from './rules.ts';

const file = readFileSync(
  createRequire(import.meta.url).resolve(
    '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb',
  ),
);
const reader = new Reader<Response & { country_code: string }>(file);
const abuse = [
  '8.8.8.0/24',
  '1.0.0.0/9',
  '85.0.0.0/8',
  '2a00:1450::/32',
  '2001:4860:4860::8888',
  '223.255.255.255',
];
const office = ['193.0.0.0/21', '2001:67c:2e8::/48', '10.20.0.0/16'];
const privates = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
]
  .concat('192.168.0.0/16', '::/127', 'fc00::/7', 'fe80::/10')
  .map(parsePrefix);
const list: Rules = {
  default: 'deny',
  private: 'rules',
  unknown: 'deny',
  lists: { abuse: { text: abuse.join('\n') } },
  databases: { country: { bytes: file } },
  rules: [
    { action: 'allow', networks: office },
    { action: 'deny', lists: ['abuse'] },
    { action: 'deny', countries: ['CN', 'RU'] },
    { action: 'allow', countries: ['DE', 'AT'] },
    { action: 'allow', networks: ['80.0.0.0/4', '2a00::/12'], protocols: ['HTTP'] },
  ],
};

function inside(networks: readonly string[], address: Address): boolean {
  return networks.some((network) => contains(parsed(network), address));
}

const known = new Map<string, ReturnType<typeof parsePrefix>>();
function parsed(network: string) {
  const found = known.get(network) ?? parsePrefix(network);
  known.set(network, found);
  return found;
}

/** The rules above, read from the top by hand. */
function expected(address: Address, protocol: 'SSH' | 'HTTP'): boolean {
  if (inside(office, address)) return true;
  if (inside(abuse, address)) return false;
  if (!privates.some((network) => contains(network, address))) {
    const country = reader.get(formatAddress(address))?.country_code;
    if (country === undefined || country === 'CN' || country === 'RU') return false;
    if (country === 'DE' || country === 'AT') return true;
  }
  return protocol === 'HTTP' && inside(['80.0.0.0/4', '2a00::/12'], address);
}

/** Numbers that look random and are the same in every run. */
function* noise(): Generator<number, never> {
  for (let state = 1; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state;
  }
}

test('a million addresses, at random and at the borders: the verdict of the rules, also wherever it claims to hold', async () => {
  const engine = createEngine(list);
  const context = createContext({});
  const random = noise();
  const next = () => random.next().value;
  const borders = [...abuse, ...office].flatMap((text) => {
    const prefix = parsed(text);
    return prefix.family === 4 ? [prefix.bits - 1, prefix.bits, prefix.bits + 2 ** (32 - prefix.length)] : [];
  });
  let allowed = 0;
  for (let n = 0; n < 500_000; n++) {
    const kind = n % 8;
    const address: Address =
      kind === 0
        ? { family: 4, bits: ((borders[n % borders.length] ?? 0) + (n % 3)) >>> 0 }
        : kind < 5
          ? { family: 4, bits: next() }
          : { family: 6, groups: groupsOf(0x2000 | (next() & 0x0fff), next) };
    const protocol = n % 2 === 0 ? 'SSH' : 'HTTP';
    const verdict = await engine.verdict(address, protocol, context);
    if (verdict.allowed !== expected(address, protocol))
      throw new Error(`${formatAddress(address)} ${protocol}`);
    if (verdict.allowed) allowed++;
    // an address elsewhere in the scope that was answered
    const length = verdict.prefixLength ?? 128;
    const other = scatter(address, length, next);
    if (!contains(prefixOf(address, length), other)) throw new Error('the test looks outside the scope');
    if (verdict.allowed !== expected(other, protocol)) {
      throw new Error(
        `the scope of ${formatAddress(address)}/${length} does not hold for ${formatAddress(other)}`,
      );
    }
  }
  expect(allowed).toBeGreaterThan(5_000);
});

test.each([
  '::ffff:8.8.8.8',
  'fe80::1%eth0',
  '0.0.0.0',
  '255.255.255.255',
  '::',
  'ffff::',
  '64:ff9b::808:808',
])('%s is decided', async (ip) => {
  const address = parseAddress(ip);
  if (address === undefined) throw new Error(`${ip} is no address`);
  const { allowed } = await createEngine(list).verdict(address, 'SSH', createContext({}));
  expect(allowed).toBe(expected(address, 'SSH'));
});

function groupsOf(first: number, next: () => number): string {
  return String.fromCharCode(first, ...Array.from({ length: 7 }, () => next() >>> 16));
}

/** The same first `length` bits, the others at random. */
function scatter(address: Address, length: number, next: () => number): Address {
  if (address.family === 4) {
    const mask = length >= 32 ? 0 : 0xffff_ffff >>> length;
    return { family: 4, bits: (address.bits ^ (next() & mask)) >>> 0 };
  }
  const groups = Array.from({ length: 8 }, (_, at) => {
    const free = Math.min(Math.max(length - at * 16, 0), 16);
    return address.groups.charCodeAt(at) ^ ((next() >>> 16) & (free === 16 ? 0 : 0xffff >>> free));
  });
  return { family: 6, groups: String.fromCharCode(...groups) };
}
