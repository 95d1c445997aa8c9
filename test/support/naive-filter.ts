/**
 * Rules, scopes and addresses the slow and plain way, on whole numbers and lists: shares no line with proto/net and
 * the adapter's cache, so that they can be compared with it.
 */
export interface NaiveAddress {
  readonly family: 4 | 6;
  readonly bits: bigint;
}

export interface NaiveNetwork extends NaiveAddress {
  readonly length: number;
}

export interface NaiveRule {
  readonly allow: boolean;
  readonly network: NaiveNetwork;
  readonly protocols?: readonly string[];
}

/** What SFTPGo names; one that it may name some day; none, as up to 2.4. */
export const askedProtocols = ['SSH', 'FTP', 'DAV', 'HTTP', 'GOPHER', ''];

/** A repeatable source of whole numbers below `n`. */
export function dice(seed: number): (n: number) => number {
  let state = seed >>> 0;
  return (n) => {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

export function widthOf({ family }: Pick<NaiveAddress, 'family'>): number {
  return family === 4 ? 32 : 128;
}

export function network({ family, bits }: NaiveAddress, length: number): NaiveNetwork {
  const host = BigInt(widthOf({ family }) - length);
  return { family, bits: (bits >> host) << host, length };
}

export function holds(outer: NaiveNetwork, inner: NaiveAddress): boolean {
  return outer.family === inner.family && network(inner, outer.length).bits === outer.bits;
}

/** The first rule that matches decides. */
export function decide(rules: readonly NaiveRule[], address: NaiveAddress, protocol: string): boolean {
  const rule = rules.find(
    (one) => holds(one.network, address) && (one.protocols?.includes(protocol) ?? true),
  );
  return rule?.allow ?? false;
}

/** The shortest prefix length around the address for which no rule's network begins inside. */
export function uniformLength(rules: readonly NaiveRule[], { family, bits }: NaiveAddress): number {
  return rules.reduce((least, { network: inner }) => {
    if (inner.family !== family) return least;
    const different = bits ^ inner.bits;
    const common = widthOf({ family }) - (different === 0n ? 0 : different.toString(2).length);
    return Math.max(least, Math.min(inner.length, common + 1));
  }, 0);
}

/** One of the ways to write an address. */
export function textOf({ family, bits }: NaiveAddress, random: (n: number) => number): string {
  if (family === 4) {
    const octets = [24n, 16n, 8n, 0n].map((shift) => String((bits >> shift) & 255n));
    const hex = bits.toString(16).padStart(8, '0');
    const ways = [
      octets.join('.'),
      octets.join('.'),
      `::ffff:${octets.join('.')}`,
      `::FFFF:${hex.slice(0, 4)}:${hex.slice(4)}`,
      `::ffff:${octets.join('.')}%eth0`,
    ];
    return ways[random(ways.length)] ?? '';
  }
  const groups = Array.from({ length: 8 }, (_, at) =>
    ((bits >> BigInt(112 - 16 * at)) & 0xffffn).toString(16),
  );
  const ways = [groups.join(':'), groups.join(':').toUpperCase(), `${groups.join(':')}%2`];
  return ways[random(ways.length)] ?? '';
}

/** The canonical text of a network, as plugin-scope carries it; IPv6 without `::`. */
export function networkText(net: NaiveNetwork): string {
  return `${textOf(net, () => 0)}/${net.length}`;
}

const corners = [
  '0.0.0.0',
  '10.0.0.0',
  '10.255.255.255',
  '127.0.0.1',
  '169.254.1.1',
  '172.16.0.0',
  '172.31.255.255',
  '192.0.2.0',
  '192.168.0.0',
  '192.168.255.255',
  '198.51.100.255',
  '203.0.113.66',
  '224.0.0.1',
  '240.0.0.0',
  '255.255.255.255',
];

function v4(text: string): NaiveAddress {
  return { family: 4, bits: text.split('.').reduce((sum, octet) => sum * 256n + BigInt(octet), 0n) };
}

const corners6: readonly bigint[] = [
  0n,
  1n,
  0xfe80n << 112n,
  0xfc00n << 112n,
  0xff02n << 112n,
  0x20010db8n << 96n,
  0x64ff9bn << 96n,
  (1n << 128n) - 1n,
  0xfffe_ffffffffn,
  0x1_0000_00000000n,
];

/** Addresses that matter: borders of the rules' networks, private and reserved ones, and any. */
export function someAddress(rules: readonly NaiveRule[], random: (n: number) => number): NaiveAddress {
  const rule = rules[random(rules.length)];
  const kind = random(10);
  if (rule && kind < 7) {
    const { family, bits, length } = rule.network;
    const size = 1n << BigInt(widthOf(rule.network) - length);
    const all = 1n << BigInt(widthOf(rule.network));
    const places = [bits, bits + size - 1n, bits - 1n, bits + size, bits + (BigInt(random(2 ** 31)) % size)];
    const place = ((places[random(places.length)] ?? 0n) + all) % all;
    return fixed({ family, bits: place });
  }
  if (kind === 7) return v4(corners[random(corners.length)] ?? '0.0.0.0');
  if (kind === 8) return fixed({ family: 6, bits: corners6[random(corners6.length)] ?? 0n });
  return { family: 4, bits: BigInt(random(2 ** 32)) };
}

/** A mapped IPv6 address is the IPv4 address. */
function fixed(address: NaiveAddress): NaiveAddress {
  const mapped = address.family === 6 && address.bits >> 32n === 0xffffn;
  return mapped ? { family: 4, bits: address.bits & 0xffffffffn } : address;
}

/** Rules that nest, touch and contradict each other. */
export function someRules(random: (n: number) => number, count = 24): NaiveRule[] {
  const bases: readonly NaiveAddress[] = [
    v4('10.0.0.0'),
    v4('203.0.113.0'),
    v4('192.168.77.0'),
    { family: 6, bits: 0x20010db8_0007_0000n << 64n },
    { family: 6, bits: 0xfe80n << 112n },
  ];
  return Array.from({ length: count }, () => {
    const base = bases[random(bases.length)] ?? v4('10.0.0.0');
    const width = widthOf(base);
    const length =
      base.family === 4 ? 8 + random(25) : ([16, 32, 33, 47, 48, 49, 64, 127, 128][random(9)] ?? 64);
    const noise = (BigInt(random(2 ** 31)) << BigInt(random(width - 31))) & ((1n << BigInt(width - 12)) - 1n);
    const protocols = askedProtocols.slice(0, 4).filter(() => random(2) === 0);
    return {
      allow: random(2) === 0,
      network: network(fixed({ family: base.family, bits: base.bits ^ noise }), length),
      ...(random(2) === 0 || protocols.length === 0 ? {} : { protocols }),
    };
  });
}
