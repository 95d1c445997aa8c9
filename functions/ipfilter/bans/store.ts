import type { Address } from '../../../proto/net/address.ts';
import { formatPrefix, prefixOf } from '../../../proto/net/prefix.ts';
import type { Log } from '../../kit/index.ts';

/** A network that is kept out. */
export interface Ban {
  /** Canonical text, always with its length: `203.0.113.7/32`. */
  readonly network: string;
  /** Milliseconds since 1970: from then on it bans nobody. */
  readonly untilMs: number;
  /** At most 200 printable ASCII characters. */
  readonly reason: string;
  /** Thumbprint of the key that asked for it; `rate` for a ban by counted offences. */
  readonly by: string;
}

/** How many offences of a network become a ban. */
export interface Limit {
  readonly attempts: number;
  readonly perMs: number;
  readonly forMs: number;
}

/** What came of one more offence. */
export interface Counted {
  /** Offences of the network within the window, this one included; 0 after they became a ban. */
  readonly count: number;
  /** The ban that they became. */
  readonly ban?: Ban;
}

/** A page of bans. */
export interface BanPage {
  readonly bans: readonly Ban[];
  /** For the next page; empty: this was the last one. */
  readonly cursor: string;
}

/**
 * The bans in one store. `id` is a call's id: what a call did is not done again for the same id. Everything rejects
 * when the store cannot be used; then nobody is let in on the strength of it.
 */
export interface Bans {
  /** A ban in force of a network around the address. */
  find(address: Address, nowMs: number): Promise<Ban | undefined>;
  /** Bans a network and says what holds: of two bans of one network, the one that ends later. */
  add(ban: Ban, id: string, nowMs: number): Promise<Ban>;
  /** Ends a ban; false when there is none. */
  remove(network: string, id: string, nowMs: number): Promise<boolean>;
  /** The bans in force, in no order that means anything. */
  page(cursor: string, limit: number, nowMs: number): Promise<BanPage>;
  /** Counts an offence against a network; when the limit is reached, bans it. */
  count(network: string, reason: string, limit: Limit, id: string, nowMs: number): Promise<Counted>;
}

/** How far counted offences are exact in a store: of all calls, or of those that met one instance of the function. */
export type Counting = 'exact' | 'approximate';

/** A kind of place where bans are kept. */
export interface BanStore<Env = unknown> {
  readonly counting: Counting;
  /** The prefix lengths that it can hold; absent: all that can be banned. */
  readonly lengths?: Readonly<Record<4 | 6, readonly number[]>>;
  /** The store as a call's environment has it. Called once for each call. */
  open(env: Env, log: Log): Bans;
}

/** The networks of these lengths around an address, as canonical texts. */
export function networksAround(address: Address, lengths: readonly number[]): string[] {
  return lengths.map((length) => formatPrefix(prefixOf(address, length)));
}

/** All lengths that can be banned, from the longest: IPv4 /32 to /16, IPv6 /128 to /32. */
export const allLengths: Readonly<Record<4 | 6, readonly number[]>> = {
  4: Array.from({ length: 17 }, (_, at) => 32 - at),
  6: Array.from({ length: 97 }, (_, at) => 128 - at),
};

/** The lengths of stores that pay for each one at every look-up. */
export const fewLengths = { 4: [32, 24, 16], 6: [128, 64, 56, 48, 32] } as const;
