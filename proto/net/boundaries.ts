import { commonBits, previousOf, type Words } from './words.ts';

/**
 * Where something changes on the number line of one address family: ascending, distinct addresses in one typed
 * array. What holds between two of them is for the owner to say, by the index that {@link at} finds.
 */
export class Boundaries {
  readonly #words: Uint32Array;
  readonly #width: number;
  /** Of a large table: by the first 16 bits, the index of the first boundary that has them or more. */
  readonly #starts: Uint32Array | undefined;

  /** `width`: words of an address, 1 or 4; `words`: the addresses one after the other. */
  constructor(width: number, words: Uint32Array) {
    this.#width = width;
    this.#words = words;
    this.#starts = words.length / width > 10_000 ? startsOf(words, width) : undefined;
  }

  /** How many there are. */
  get count(): number {
    return this.#words.length / this.#width;
  }

  /** Memory of the typed arrays. */
  get byteLength(): number {
    return this.#words.byteLength + (this.#starts?.byteLength ?? 0);
  }

  /** Is the first boundary the first address of the family? Then no address lies before it. */
  isAtZero(): boolean {
    return this.count > 0 && this.#wordsAt(0).every((word) => word === 0);
  }

  /** The index of the last boundary that is not after the address; -1 where the first one is. */
  at(address: Words): number {
    const first = address[0] ?? 0;
    let low = this.#starts?.[first >>> 16] ?? 0;
    let high = this.#starts?.[(first >>> 16) + 1] ?? this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const own = this.#words[middle * this.#width] ?? 0;
      if (own > first || (own === first && this.#isAfter(middle, address))) high = middle;
      else low = middle + 1;
    }
    return low - 1;
  }

  /** The length of the widest network around the address that has no boundary inside. */
  lengthAt(address: Words, index: number): number {
    const before = index < 0 ? undefined : previousOf(this.#wordsAt(index));
    const after = index + 1 < this.count ? this.#wordsAt(index + 1) : undefined;
    return Math.max(
      before === undefined ? 0 : commonBits(address, before) + 1,
      after === undefined ? 0 : commonBits(address, after) + 1,
    );
  }

  /** Compares what follows an equal first word. */
  #isAfter(index: number, address: Words): boolean {
    const words = this.#words;
    const start = index * this.#width;
    for (let at = 1; at < address.length; at++) {
      const own = words[start + at] ?? 0;
      const other = address[at] ?? 0;
      if (own !== other) return own > other;
    }
    return false;
  }

  #wordsAt(index: number): Words {
    return this.#words.subarray(index * this.#width, (index + 1) * this.#width);
  }
}

function startsOf(words: Uint32Array, width: number): Uint32Array {
  const starts = new Uint32Array(65_537);
  let index = 0;
  for (let top = 0; top < 65_537; top++) {
    while (index * width < words.length && (words[index * width] ?? 0) >>> 16 < top) index++;
    starts[top] = index;
  }
  return starts;
}
