/** Every protocol there is or will be: a scope that names none. */
export const allProtocols = -1;

/** Of a protocol that came after all the others were taken: no scope that names protocols holds for it. */
const overflow = 1 << 31;

const names = ['SSH', 'FTP', 'DAV', 'HTTP', ''];

/**
 * Protocols as bits of an integer. SFTPGo has four, and an empty text up to 2.4; one that a later SFTPGo asks about
 * gets the next bit. Functions add none: what only they name, nobody asks about.
 */
export class ProtocolBits {
  readonly #bits = new Map(names.map((name, index) => [name, 1 << index]));

  /** The bit of a protocol that the host asks about. */
  of(protocol: string): number {
    const known = this.#bits.get(protocol);
    if (known !== undefined) return known;
    if (this.#bits.size >= 31) return overflow;
    const bit = 1 << this.#bits.size;
    this.#bits.set(protocol, bit);
    return bit;
  }

  /** The bits of those that a scope names; without names: of all. */
  named(protocols: readonly string[] | undefined): number {
    if (protocols === undefined) return allProtocols;
    return protocols.reduce((sum, protocol) => sum | (this.#bits.get(protocol) ?? 0), 0);
  }
}
