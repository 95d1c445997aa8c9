import type { Address } from './address.ts';

/** An address as unsigned 32-bit words, the most significant first: one for IPv4, four for IPv6. */
export type Words = Uint32Array;

/** The words of an address. */
export function wordsOf(address: Address): Words {
  if (address.family === 4) return Uint32Array.of(address.bits);
  const { groups } = address;
  return Uint32Array.of(wordAt(groups, 0), wordAt(groups, 2), wordAt(groups, 4), wordAt(groups, 6));
}

/** The 32 bits of two groups. */
export function wordAt(groups: string, group: number): number {
  return groups.charCodeAt(group) * 65_536 + groups.charCodeAt(group + 1);
}

/** How many leading bits two addresses of one family share. */
export function commonBits(a: Words, b: Words): number {
  for (let at = 0; at < a.length; at++) {
    const differing = ((a[at] ?? 0) ^ (b[at] ?? 0)) >>> 0;
    if (differing !== 0) return at * 32 + Math.clz32(differing);
  }
  return a.length * 32;
}

/** Sets every bit after the first `length`: the last address of a network, from any address in it. */
export function lastOf(words: Words, length: number): Words {
  return words.map((word, at) => {
    const kept = Math.min(Math.max(length - at * 32, 0), 32);
    return kept === 32 ? word : (word | (0xffff_ffff >>> kept)) >>> 0;
  });
}

/** The next address; undefined after the last one of the family. */
export function nextOf(words: Words): Words | undefined {
  const next = words.slice();
  for (let at = next.length - 1; at >= 0; at--) {
    const word = next[at] ?? 0;
    next[at] = word + 1;
    if (word !== 0xffff_ffff) return next;
  }
  return undefined;
}

/** The address before; undefined before the first one of the family. */
export function previousOf(words: Words): Words | undefined {
  const previous = words.slice();
  for (let at = previous.length - 1; at >= 0; at--) {
    const word = previous[at] ?? 0;
    previous[at] = word - 1;
    if (word !== 0) return previous;
  }
  return undefined;
}
