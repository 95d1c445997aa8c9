import type { Address } from './address.ts';
import { maskGroups, maskIPv4, type Prefix, prefixOf } from './prefix.ts';

/**
 * Values by network; looking up an address finds the longest network that contains it.
 *
 * One hash table for each length in use, tried from the longest: a rule set has a handful of lengths, a cache
 * of single addresses one, and an entry costs a map slot and (IPv6) a string of at most eight code units.
 *
 * ```ts
 * const map = new PrefixMap<string>();
 * map.set(parsePrefix('10.0.0.0/8'), 'office');
 * map.get({ family: 4, bits: 0x0a010203 }); // 'office'
 * ```
 */
export class PrefixMap<T extends NonNullable<unknown>> {
  readonly #v4 = new LengthTables<number, T>();
  readonly #v6 = new LengthTables<string, T>();

  /** Networks held, both families. */
  get size(): number {
    return this.#v4.size + this.#v6.size;
  }

  /** Stores the value of exactly this network; an earlier one is replaced. */
  set(prefix: Prefix, value: T): void {
    if (prefix.family === 4) this.#v4.set(prefix.length, maskIPv4(prefix.bits, prefix.length), value);
    else this.#v6.set(prefix.length, maskGroups(prefix.groups, prefix.length), value);
  }

  /** The value of the longest network that contains the address. */
  get(address: Address): T | undefined {
    return this.#find(address)?.value;
  }

  /** The longest network that contains the address, with its value. */
  match(address: Address): { readonly prefix: Prefix; readonly value: T } | undefined {
    const found = this.#find(address);
    return found && { prefix: prefixOf(address, found.length), value: found.value };
  }

  /** The value stored for exactly this network, wider and narrower ones disregarded. */
  at(prefix: Prefix): T | undefined {
    return prefix.family === 4
      ? this.#v4.at(prefix.length, maskIPv4(prefix.bits, prefix.length))
      : this.#v6.at(prefix.length, maskGroups(prefix.groups, prefix.length));
  }

  /** Removes exactly this network. Returns whether it was there. */
  delete(prefix: Prefix): boolean {
    return prefix.family === 4
      ? this.#v4.delete(prefix.length, maskIPv4(prefix.bits, prefix.length))
      : this.#v6.delete(prefix.length, maskGroups(prefix.groups, prefix.length));
  }

  #find(address: Address): Found<T> | undefined {
    return address.family === 4
      ? this.#v4.find(address.bits, maskIPv4)
      : this.#v6.find(address.groups, maskGroups);
  }
}

interface Found<T> {
  readonly length: number;
  readonly value: T;
}

/** Hash tables of one address family, the longest prefixes first. */
class LengthTables<K, T extends NonNullable<unknown>> {
  readonly #tables: { readonly length: number; readonly values: Map<K, T> }[] = [];

  get size(): number {
    return this.#tables.reduce((sum, { values }) => sum + values.size, 0);
  }

  set(length: number, key: K, value: T): void {
    let table = this.#table(length);
    if (table === undefined) {
      table = { length, values: new Map() };
      this.#tables.push(table);
      this.#tables.sort((a, b) => b.length - a.length);
    }
    table.values.set(key, value);
  }

  at(length: number, key: K): T | undefined {
    return this.#table(length)?.values.get(key);
  }

  find(key: K, mask: (key: K, length: number) => K): Found<T> | undefined {
    for (const { length, values } of this.#tables) {
      const value = values.get(mask(key, length));
      if (value !== undefined) return { length, value };
    }
    return undefined;
  }

  delete(length: number, key: K): boolean {
    const table = this.#table(length);
    if (table === undefined || !table.values.delete(key)) return false;
    if (table.values.size === 0) this.#tables.splice(this.#tables.indexOf(table), 1);
    return true;
  }

  #table(length: number) {
    return this.#tables.find((table) => table.length === length);
  }
}
