import { FunctionError, type Log } from '../../kit/index.ts';
import { banFor, OffenceCounter } from './offences.ts';
import { type Ban, type BanStore, type Bans, fewLengths, networksAround } from './store.ts';

/** The binding: the part of Cloudflare's KVNamespace that is used. */
export interface KVBinding {
  get(key: string, type: 'json'): Promise<unknown>;
  put(key: string, value: string, options: { expirationTtl: number; metadata: unknown }): Promise<void>;
  list(options: { prefix: string; limit: number; cursor?: string }): Promise<{
    readonly keys: readonly { readonly name: string; readonly metadata?: unknown }[];
    readonly list_complete: boolean;
    readonly cursor?: string;
  }>;
}

const prefix = 'ban/';
/** A signature can be replayed for 90 s: so long the id of an ended ban's call is kept. KV takes no less than 60. */
const minTtlS = 120;

/** What lies under a network's key: the ban, and the call that wrote it last. */
interface Stored extends Ban {
  readonly id: string;
}

/**
 * Bans in Workers KV: read near every node, and late: a change is seen everywhere after a minute or more. One read
 * for each prefix length, so there are few: IPv4 /32, /24, /16; IPv6 /128, /64, /56, /48, /32.
 *
 * ```ts
 * const store = kvBans<{ BANS: KVNamespace }>((env) => env.BANS);
 * ```
 */
export function kvBans<Env>(binding: (env: Env) => KVBinding | undefined): BanStore<Env> {
  const offences = new OffenceCounter();
  return {
    counting: 'approximate',
    lengths: fewLengths,
    open(env, log) {
      const namespace = binding(env);
      return {
        async find(address, nowMs) {
          const keys = networksAround(address, fewLengths[address.family]);
          const found = await Promise.all(keys.map((network) => read(network)));
          return found.find((ban) => ban !== undefined && ban.untilMs > nowMs);
        },
        add,
        async remove(network, _, nowMs) {
          const before = await read(network);
          if (before === undefined || before.untilMs <= nowMs) return false;
          // a replay of the call that banned must not ban again: its id stays for a while
          await write({ ...before, untilMs: 0 }, minTtlS);
          return true;
        },
        async page(cursor, limit, nowMs) {
          const page = await onKV(log, () =>
            present(namespace).list({ prefix, limit, ...(cursor === '' ? {} : { cursor }) }),
          );
          const bans = page.keys
            .map(({ metadata }) => stored(metadata))
            .filter(({ untilMs }) => untilMs > nowMs);
          return { bans: bans.map(banOf), cursor: page.list_complete ? '' : (page.cursor ?? '') };
        },
        async count(network, reason, limit, id, nowMs) {
          const count = offences.count(network, limit, nowMs);
          return count > 0
            ? { count }
            : { count, ban: await add(banFor(network, reason, limit, nowMs), id, nowMs) };
        },
      } satisfies Bans;

      async function add(ban: Ban, id: string, nowMs: number): Promise<Ban> {
        const before = await read(ban.network);
        if (before !== undefined && (before.id === id || before.untilMs >= ban.untilMs)) return banOf(before);
        await write({ ...ban, id }, Math.max(minTtlS, Math.ceil((ban.untilMs - nowMs) / 1000)));
        return ban;
      }

      async function read(network: string): Promise<Stored | undefined> {
        return await onKV(log, async () => {
          const value = await present(namespace).get(prefix + network, 'json');
          return value === null ? undefined : stored(value);
        });
      }

      async function write(value: Stored, expirationTtl: number): Promise<void> {
        await onKV(log, () =>
          present(namespace).put(prefix + value.network, JSON.stringify(value), {
            expirationTtl,
            metadata: value,
          }),
        );
      }
    },
  };
}

function present(namespace: KVBinding | undefined): KVBinding {
  if (namespace === undefined) throw new TypeError('the binding of the KV namespace is missing');
  return namespace;
}

/** What another program wrote there is not taken for "no ban". */
function stored(value: unknown): Stored {
  const { network, untilMs, reason, by, id } = Object(value) as Partial<Stored>;
  if (typeof network !== 'string' || typeof untilMs !== 'number') throw new TypeError('not a ban');
  return { network, untilMs, reason: String(reason), by: String(by), id: String(id) };
}

function banOf({ network, untilMs, reason, by }: Stored): Ban {
  return { network, untilMs, reason, by };
}

async function onKV<T>(log: Log, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    log.error('the KV namespace of the bans cannot be used', { cause: String(cause) });
    throw new FunctionError('unavailable', 'the bans cannot be read; the log of the function says why', {
      cause,
    });
  }
}
