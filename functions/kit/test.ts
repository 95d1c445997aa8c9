import { parseCache, pluginHeaders } from '../../proto/facts.ts';
import { FunctionError } from './function-error.ts';
import type { IPFilterPlugin, IPRequest } from './ipfilter.ts';
import { createLog } from './log.ts';
import type { Outcome } from './plugin.ts';

/** How a plugin is called in an author's test. */
export interface CallOptions<Env> {
  /** What the handlers find in `context.env`. */
  readonly env?: Env;
  /** Absent: 20 s, as SFTPGo waits. */
  readonly timeoutMs?: number;
}

/** What a `checkIP` decided. */
export interface CheckedIP {
  readonly allowed: boolean;
  /** As the adapter's log will show it; empty where there is none. */
  readonly reason: string;
  /** Milliseconds the verdict may be reused; 0: ask again. */
  readonly forMs: number;
  /** The network the verdict holds for, with its protocols if it is limited to some. */
  readonly scope: string;
}

/** The RPCs of an ipfilter plugin, callable without keys, servers or a network. */
export interface IPFilterCalls {
  /** Rejects with what `checkIP` threw. */
  checkIP(request: { readonly ip: string; readonly protocol?: IPRequest['protocol'] }): Promise<CheckedIP>;
  reload(): Promise<void>;
}

/**
 * Calls a plugin as the adapter would, without keys, servers or a network: for the author's own tests.
 *
 * ```ts
 * import { call } from 'sftpgo-plugin-serverless/kit/test';
 * import office from './office.ts';
 *
 * const { allowed } = await call(office).checkIP({ ip: '203.0.113.9', protocol: 'SSH' });
 * ```
 */
export function call<Env>(plugin: IPFilterPlugin<Env>, options: CallOptions<Env> = {}): IPFilterCalls {
  const { env = {} as Env, timeoutMs = 20_000 } = options;
  const run = async (rpc: string, input: object): Promise<Outcome> => {
    const found = plugin.definition.rpcs[rpc];
    if (found === undefined) throw new FunctionError('unimplemented', `this plugin has no ${rpc}`);
    const log = createLog({ rpc });
    return await found.run(input as never, {
      env,
      id: crypto.randomUUID().replaceAll('-', ''),
      signal: AbortSignal.timeout(timeoutMs),
      deadlineMs: Date.now() + timeoutMs,
      waitUntil: (work) => void work.catch((thrown: unknown) => log.error(String(thrown))),
      log,
    });
  };
  return {
    async checkIP({ ip, protocol = 'SSH' }) {
      const { refusal, facts = {} } = await run('CheckIP', { ip, protocol });
      if (refusal && refusal.code !== 'permission_denied')
        throw new FunctionError(refusal.code, refusal.message);
      return {
        allowed: refusal === undefined,
        reason: facts[pluginHeaders.reason] ?? '',
        forMs: parseCache(facts[pluginHeaders.cache])?.freshMs ?? 0,
        scope: facts[pluginHeaders.scope] ?? '',
      };
    },
    async reload() {
      await run('Reload', {});
    },
  };
}
