/**
 * Nonces of verified requests, per process or isolate: a brake on replays, not a guarantee (another isolate
 * has its own). Bounded: beyond `maxEntries` the oldest goes.
 */
export class NonceMemory {
  readonly #maxEntries: number;
  readonly #skewS: number;
  /** Nonce to the second after which it may be forgotten, in the order of arrival. */
  readonly #forgetAfterS = new Map<string, number>();

  constructor({ maxEntries, skewS = 30 }: { maxEntries: number; skewS?: number }) {
    this.#maxEntries = maxEntries;
    this.#skewS = skewS;
  }

  /**
   * Remembers a nonce until twice the clock skew after `expiresS` (Unix seconds). Gives false if it is
   * remembered already: the request is a replay.
   */
  add(nonce: string, expiresS: number, nowS: number): boolean {
    for (const [old, forgetAfterS] of this.#forgetAfterS) {
      if (forgetAfterS >= nowS && this.#forgetAfterS.size < this.#maxEntries) break;
      if (old === nonce && forgetAfterS >= nowS) return false;
      this.#forgetAfterS.delete(old);
    }
    if (this.#forgetAfterS.has(nonce)) return false;
    this.#forgetAfterS.set(nonce, expiresS + 2 * this.#skewS);
    return true;
  }
}
