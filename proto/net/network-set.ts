import type { Address } from './address.ts';
import { Boundaries } from './boundaries.ts';
import type { Prefix } from './prefix.ts';
import { lastOf, nextOf, type Words, wordAt, wordsOf } from './words.ts';

/** Whether an address is in a set, and how many of its leading bits that answer depends on. */
export interface Membership {
  readonly inside: boolean;
  /** Every address that shares this many leading bits has the same answer. */
  readonly length: number;
}

/**
 * A set of networks for a million of them: sorted boundaries, 8 bytes for an IPv4 network that touches no other
 * and 32 for an IPv6 one. A look-up is one binary search.
 */
export class NetworkSet {
  /** Distinct networks it was made of, those inside others not counted. */
  readonly size: number;
  readonly #v4: Boundaries;
  readonly #v6: Boundaries;

  /** Made by {@link NetworkSetBuilder}. */
  constructor(v4: Boundaries, v6: Boundaries, size: number) {
    this.#v4 = v4;
    this.#v6 = v6;
    this.size = size;
  }

  /** Memory of its tables. */
  get byteLength(): number {
    return this.#v4.byteLength + this.#v6.byteLength;
  }

  has(address: Address): boolean {
    const words = wordsOf(address);
    return isInside(this.#tableOf(words).at(words));
  }

  /** Is the address inside, and in how wide a network around it is the answer the same? */
  find(address: Address): Membership {
    return this.findWords(wordsOf(address));
  }

  /** As {@link find}, for an address that is in words already. */
  findWords(words: Words): Membership {
    const table = this.#tableOf(words);
    const index = table.at(words);
    return { inside: isInside(index), length: table.lengthAt(words, index) };
  }

  #tableOf(words: Words): Boundaries {
    return words.length === 1 ? this.#v4 : this.#v6;
  }
}

/** Boundaries alternate: a network begins, it ends. */
function isInside(index: number): boolean {
  return (index & 1) === 0;
}

/** Collects networks, in any order, for a {@link NetworkSet}. */
export class NetworkSetBuilder {
  readonly #v4 = new Column(1);
  readonly #v6 = new Column(4);

  /** Networks that were added. */
  get count(): number {
    return this.#v4.count + this.#v6.count;
  }

  add(prefix: Prefix): void {
    if (prefix.family === 4) this.addIPv4(prefix.bits, prefix.length);
    else this.addIPv6(prefix.groups, prefix.length);
  }

  /** A network by its 32 bits, none of them set after the first `length`. */
  addIPv4(bits: number, length: number): void {
    const at = this.#v4.add(length);
    this.#v4.words[at] = bits;
  }

  /** A network by its eight groups, no bit set after the first `length`, and not an IPv4-mapped one. */
  addIPv6(groups: string, length: number): void {
    const at = this.#v6.add(length);
    for (let word = 0; word < 4; word++) this.#v6.words[at + word] = wordAt(groups, word * 2);
  }

  build(): NetworkSet {
    const v4 = this.#v4.boundaries();
    const v6 = this.#v6.boundaries();
    return new NetworkSet(v4.boundaries, v6.boundaries, v4.size + v6.size);
  }
}

/** The networks of one family as they come. */
class Column {
  readonly #width: number;
  #lengths = new Uint8Array(1024);
  words: Uint32Array;
  count = 0;

  constructor(width: number) {
    this.#width = width;
    this.words = new Uint32Array(1024 * width);
  }

  /** Takes a network's length; returns where its words belong. */
  add(length: number): number {
    if (this.count === this.#lengths.length) this.#grow();
    this.#lengths[this.count] = length;
    return this.count++ * this.#width;
  }

  /** Sorted, and with networks inside others and neighbours joined. */
  boundaries(): { boundaries: Boundaries; size: number } {
    const width = this.#width;
    const out = new Uint32Array(this.count * width * 2);
    let used = 0;
    let size = 0;
    let last: Words | undefined;
    let end: Words | undefined;
    for (const index of this.#order()) {
      const start = this.words.subarray(index * width, (index + 1) * width);
      // prefixes lie apart or inside each other, and the wider one came first
      if (last !== undefined && compare(start, last) <= 0) continue;
      size++;
      if (end !== undefined && compare(start, end) === 0) used -= width;
      else {
        out.set(start, used);
        used += width;
      }
      last = lastOf(start, this.#lengths[index] ?? 0);
      end = nextOf(last);
      // a network that ends with the address space has no end
      if (end === undefined) break;
      out.set(end, used);
      used += width;
    }
    // most lists have no neighbours to join: a copy would be the most memory that reading them takes
    return { boundaries: new Boundaries(width, used === out.length ? out : out.slice(0, used)), size };
  }

  /** Indices by address, the wider network first. Lists mostly come sorted. */
  #order(): Uint32Array {
    const order = Uint32Array.from({ length: this.count }, (_, index) => index);
    const isSorted = order.every((index) => index === 0 || this.#compare(index - 1, index) <= 0);
    return isSorted ? order : order.sort((a, b) => this.#compare(a, b));
  }

  #compare(a: number, b: number): number {
    for (let at = 0; at < this.#width; at++) {
      const difference = (this.words[a * this.#width + at] ?? 0) - (this.words[b * this.#width + at] ?? 0);
      if (difference !== 0) return difference;
    }
    return (this.#lengths[a] ?? 0) - (this.#lengths[b] ?? 0);
  }

  #grow(): void {
    const lengths = new Uint8Array(this.#lengths.length * 2);
    lengths.set(this.#lengths);
    const words = new Uint32Array(this.words.length * 2);
    words.set(this.words);
    this.#lengths = lengths;
    this.words = words;
  }
}

function compare(a: Words, b: Words): number {
  for (let at = 0; at < a.length; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
