import { FunctionError } from '../../kit/index.ts';
import type { Asked } from './object.ts';
import {
  allLengths,
  type Ban,
  type BanPage,
  type BanStore,
  type Bans,
  type Counted,
  networksAround,
} from './store.ts';

/** The binding of {@link BanList}: the part of Cloudflare's DurableObjectNamespace that is used. */
export interface ObjectBinding {
  getByName(name: string): {
    fetch(url: string, init: { method: string; body: string }): Promise<{ json(): Promise<unknown> }>;
  };
}

/**
 * Bans in one Durable Object: exact, for every node at once. Each look-up goes to that object; what the adapter
 * remembers never does.
 *
 * ```ts
 * export { BanList } from 'sftpgo-plugin-serverless/functions/ipfilter/bans';
 *
 * const store = objectBans<{ BANS: DurableObjectNamespace }>((env) => env.BANS);
 * ```
 */
export function objectBans<Env>(binding: (env: Env) => ObjectBinding | undefined): BanStore<Env> {
  return {
    counting: 'exact',
    open(env, log) {
      const ask = async (call: Asked['call'], ...args: readonly unknown[]): Promise<unknown> => {
        try {
          const namespace = binding(env);
          if (namespace === undefined) throw new TypeError('the binding of the Durable Object is missing');
          const answer = await namespace
            .getByName('bans')
            .fetch('https://bans.invalid/', { method: 'POST', body: JSON.stringify({ call, args }) });
          const { result } = (await answer.json()) as { result?: unknown };
          // null is "none"; without a result, nothing was looked up
          if (result === undefined) throw new TypeError('the Durable Object answers something else');
          return result ?? undefined;
        } catch (cause) {
          log.error('the Durable Object of the bans cannot be used', { cause: String(cause) });
          throw new FunctionError(
            'unavailable',
            'the bans cannot be read; the log of the function says why',
            {
              cause,
            },
          );
        }
      };
      // both ends are of one build
      return {
        find: async (address, nowMs) =>
          (await ask('find', networksAround(address, allLengths[address.family]), nowMs)) as Ban | undefined,
        add: async (...args) => (await ask('add', ...args)) as Ban,
        remove: async (...args) => (await ask('remove', ...args)) as boolean,
        page: async (...args) => (await ask('page', ...args)) as BanPage,
        count: async (...args) => (await ask('count', ...args)) as Counted,
      } satisfies Bans;
    },
  };
}
