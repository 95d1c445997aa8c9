import { parseCache, pluginHeaders } from '../../../proto/facts.ts';
import { FunctionError } from '../function-error.ts';
import type { IPRequest } from '../ipfilter.ts';
import type { Run } from './run.ts';

/** What a `checkIP` decided. */
export interface CheckedIP {
  readonly allowed: boolean;
  /** As the adapter's log will show it; empty where there is none. */
  readonly reason: string;
  /** Milliseconds the verdict may be reused; 0: ask again. */
  readonly forMs: number;
  /** After `forMs`: used while the function is asked again. Absent: no such time. */
  readonly staleWhileRevalidateMs?: number;
  /** After `forMs`: used when the function cannot be asked. Absent: the adapter's `cache.staleIfError`. */
  readonly staleIfErrorMs?: number;
  /** The network the verdict holds for, with its protocols if it is limited to some. */
  readonly scope: string;
}

/** The RPCs of an ipfilter plugin, callable without keys, servers or a network. */
export interface IPFilterCalls {
  /** Rejects with what `checkIP` threw. */
  checkIP(request: { readonly ip: string; readonly protocol?: IPRequest['protocol'] }): Promise<CheckedIP>;
  reload(): Promise<void>;
}

/** The calls of an ipfilter plugin. */
export function ipfilterCalls(run: Run): IPFilterCalls {
  return {
    async checkIP({ ip, protocol = 'SSH' }) {
      const { refusal, facts = {} } = await run('CheckIP', { ip, protocol });
      if (refusal && refusal.code !== 'permission_denied')
        throw new FunctionError(refusal.code, refusal.message);
      const lifetimes = parseCache(facts[pluginHeaders.cache]) ?? {};
      const { freshMs = 0, staleWhileRevalidateMs, staleMs } = lifetimes;
      return {
        allowed: refusal === undefined,
        reason: facts[pluginHeaders.reason] ?? '',
        forMs: freshMs,
        ...(staleWhileRevalidateMs !== undefined && { staleWhileRevalidateMs }),
        ...(staleMs !== undefined && { staleIfErrorMs: staleMs }),
        scope: facts[pluginHeaders.scope] ?? '',
      };
    },
    async reload() {
      await run('Reload', {});
    },
  };
}
