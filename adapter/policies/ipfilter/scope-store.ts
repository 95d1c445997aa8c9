import type { Address } from '../../../proto/net/address.ts';
import { maskGroups, maskIPv4, type Prefix } from '../../../proto/net/prefix.ts';
import type { Entry, Key, Lifetime, Outcome, Store } from '../shared/cache.ts';
import { type Said, SaidTable } from './said.ts';

/** What CheckIP asks about. */
export interface Question extends Key {
  readonly address: Address;
  /** One bit, as of `ProtocolBits`. */
  readonly protocol: number;
}

/** What a verdict holds for, and how long. */
export interface ScopedLifetime extends Lifetime {
  readonly prefix: Prefix;
  /** A bit for each protocol. */
  readonly protocols: number;
}

/** One verdict about one network. */
export interface Verdict extends Entry {
  readonly said: Said;
  /** Of two verdicts, the later one has the higher number. */
  readonly order: number;
  /** The protocols that it is still the verdict for. */
  protocols: number;
  /** Another verdict about the same network, for other protocols. */
  more: Verdict | undefined;
  /** Asked for since the eviction last looked. */
  used: boolean;
}

export interface ScopeStoreOptions {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** Heap that one verdict takes beside what the function said, with its place in the map: measured, rounded up. */
const verdictBytes = 280;

/**
 * A network as one map key: its bits, then a code unit for family and length. Text, since the engine seeds its hash:
 * clients choose their addresses.
 */
function keyOf(address: Address, length: number): string {
  if (address.family === 6) return maskGroups(address.groups, length) + String.fromCharCode(0x100 + length);
  const bits = maskIPv4(address.bits, length);
  return String.fromCharCode(bits >>> 16, bits & 0xffff, length);
}

/** The prefix lengths of one family that are in use, the longest first. */
class Lengths {
  readonly #uses = new Map<number, number>();
  descending: readonly number[] = [];

  change(length: number, by: 1 | -1): void {
    const uses = (this.#uses.get(length) ?? 0) + by;
    if (uses > 0) this.#uses.set(length, uses);
    else this.#uses.delete(length);
    if (uses === 0 || (uses === 1 && by === 1)) {
      this.descending = [...this.#uses.keys()].sort((a, b) => b - a);
    }
  }
}

/**
 * Verdicts by network and protocols: the longest network around an address decides. Two verdicts about one network
 * and protocol: the later one replaces a stale one; while both are fresh, deny wins.
 *
 * Bounded in verdicts and bytes; beyond, the ones not asked for since a hand last passed go first (CLOCK, "second
 * chance", an approximation of least recently used).
 */
export class ScopeStore implements Store<Question, ScopedLifetime, Verdict> {
  readonly #options: ScopeStoreOptions;
  readonly #networks = new Map<string, Verdict>();
  readonly #lengths = { 4: new Lengths(), 6: new Lengths() };
  readonly #said = new SaidTable();
  #size = 0;
  #order = 0;
  #hand: MapIterator<[string, Verdict]> | undefined;

  constructor(options: ScopeStoreOptions) {
    this.#options = options;
  }

  /** Verdicts held. */
  get size(): number {
    return this.#size;
  }

  /** An upper estimate of the heap that they take. */
  get bytes(): number {
    return this.#size * verdictBytes + this.#said.bytes;
  }

  get({ address, protocol }: Question, nowMs: number): Verdict | undefined {
    for (const length of this.#lengths[address.family].descending) {
      const key = keyOf(address, length);
      const verdict = find(this.#networks.get(key), protocol);
      if (verdict === undefined) continue;
      if (isOver(verdict, nowMs)) {
        this.#narrow(key, address.family, length, verdict, verdict.protocols);
        continue;
      }
      verdict.used = true;
      return verdict;
    }
    return undefined;
  }

  /**
   * The verdict of the longest network; but an allow gives way to a deny about a network around it that was said
   * later: nobody is let in by what the function has taken back.
   */
  reserve({ address, protocol }: Question, nowMs: number): Verdict | undefined {
    let longest: Verdict | undefined;
    for (const length of this.#lengths[address.family].descending) {
      const verdict = find(this.#networks.get(keyOf(address, length)), protocol);
      if (verdict === undefined || isOver(verdict, nowMs)) continue;
      longest ??= verdict;
      const isLater = verdict.order >= longest.order && nowMs < verdict.errorUntil;
      if (isLater && !verdict.said.allowed) return verdict;
    }
    return longest;
  }

  set(
    { address }: Question,
    outcome: Outcome,
    entry: Entry,
    { lifetime, nowMs }: { readonly lifetime: ScopedLifetime; readonly nowMs: number },
  ): void {
    const { prefix } = lifetime;
    const { family } = prefix;
    const allowed = 'reply' in outcome;
    const stays = (other: Verdict) => other.epoch === entry.epoch && nowMs < other.freshUntil;
    for (const length of this.#lengths[family].descending) {
      if (length <= prefix.length) break;
      // a stale verdict of a network within would be asked about for ever: this answer speaks for its address
      const key = keyOf(address, length);
      for (const other of listOf(this.#networks.get(key))) {
        if (!stays(other)) this.#narrow(key, family, length, other, lifetime.protocols);
      }
    }
    const key = keyOf(prefix, prefix.length);
    let { protocols } = lifetime;
    for (const other of listOf(this.#networks.get(key))) {
      if (allowed && !other.said.allowed && stays(other)) protocols &= ~other.protocols;
      else this.#narrow(key, family, prefix.length, other, protocols);
    }
    if (protocols === 0) return;
    const head = this.#networks.get(key);
    const said = this.#said.take(outcome);
    this.#order += 1;
    this.#networks.set(key, { ...entry, said, order: this.#order, protocols, more: head, used: false });
    if (head === undefined) this.#lengths[family].change(prefix.length, 1);
    this.#size += 1;
    while (this.#size > this.#options.maxEntries || this.bytes > this.#options.maxBytes) this.#evict(nowMs);
  }

  delete({ address, protocol }: Question): void {
    for (const length of this.#lengths[address.family].descending) {
      const key = keyOf(address, length);
      const verdict = find(this.#networks.get(key), protocol);
      if (verdict) this.#narrow(key, address.family, length, verdict, protocol);
    }
  }

  recall({ said }: Verdict): Outcome {
    return this.#said.recall(said);
  }

  /** Takes protocols from a verdict; one without any is removed. */
  #narrow(key: string, family: 4 | 6, length: number, verdict: Verdict, protocols: number): void {
    verdict.protocols &= ~protocols;
    if (verdict.protocols !== 0) return;
    const head = this.#networks.get(key);
    this.#size -= 1;
    this.#said.release(verdict.said);
    if (head === verdict) {
      if (verdict.more) this.#networks.set(key, verdict.more);
      else {
        this.#networks.delete(key);
        this.#lengths[family].change(length, -1);
      }
      return;
    }
    const before = listOf(head).find(({ more }) => more === verdict);
    if (before) before.more = verdict.more;
  }

  /** Moves the hand to the next network without a use, and removes its verdicts. */
  #evict(nowMs: number): void {
    for (;;) {
      this.#hand ??= this.#networks.entries();
      const { value, done } = this.#hand.next();
      if (done) {
        this.#hand = undefined;
        continue;
      }
      const [key, head] = value;
      const verdicts = listOf(head);
      if (verdicts.some((verdict) => verdict.used && !isOver(verdict, nowMs))) {
        for (const verdict of verdicts) verdict.used = false;
        continue;
      }
      const last = key.charCodeAt(key.length - 1);
      const [family, length] = last < 0x100 ? ([4, last] as const) : ([6, last - 0x100] as const);
      for (const verdict of verdicts) this.#narrow(key, family, length, verdict, verdict.protocols);
      return;
    }
  }
}

function isOver({ freshUntil, revalidateUntil, errorUntil }: Entry, nowMs: number): boolean {
  return nowMs >= freshUntil && nowMs >= revalidateUntil && nowMs >= errorUntil;
}

function find(head: Verdict | undefined, protocol: number): Verdict | undefined {
  for (let verdict = head; verdict; verdict = verdict.more) {
    if ((verdict.protocols & protocol) !== 0) return verdict;
  }
  return undefined;
}

function listOf(head: Verdict | undefined): Verdict[] {
  const list: Verdict[] = [];
  for (let verdict = head; verdict; verdict = verdict.more) list.push(verdict);
  return list;
}
