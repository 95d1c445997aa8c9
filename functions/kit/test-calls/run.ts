import { FunctionError } from '../function-error.ts';
import { createLog } from '../log.ts';
import type { Outcome, Plugin, SignedHeaders } from '../plugin.ts';

/** How a plugin is called in an author's test. */
export interface CallOptions<Env> {
  /** What the handlers find in `context.env`. */
  readonly env?: Env;
  /** Absent: 20 s, as SFTPGo waits. */
  readonly timeoutMs?: number;
  /** What the handlers find in `context.id`; absent: another one for each call. */
  readonly id?: string;
  /** Notifier: what the handlers find in `context.instance`. */
  readonly instance?: string;
}

/** Runs one RPC of a plugin without keys, servers or a network. Rejects with what the handler threw. */
export type Run = (rpc: string, input: object, headers?: SignedHeaders) => Promise<Outcome>;

/** Prepares a plugin for a test. */
export function runner<Env>(plugin: Plugin<Env>, options: CallOptions<Env>): Run {
  const { env = {} as Env, timeoutMs = 20_000, instance = '' } = options;
  const signed: SignedHeaders = new Map(instance === '' ? [] : [['plugin-instance', instance]]);
  const secret = crypto.randomUUID();
  return async (rpc, input, headers = signed) => {
    const found = plugin.definition.rpcs[rpc];
    if (found === undefined) throw new FunctionError('unimplemented', `this plugin has no ${rpc}`);
    const log = createLog({ rpc });
    const context = {
      env,
      id: options.id ?? crypto.randomUUID().replaceAll('-', ''),
      signal: AbortSignal.timeout(timeoutMs),
      deadlineMs: Date.now() + timeoutMs,
      waitUntil: (work: Promise<unknown>) => void work.catch((thrown: unknown) => log.error(String(thrown))),
      log,
    };
    const caller = { keyid: '', adapter: true, reporter: false };
    return await found.run(input as never, context, headers, secret, caller);
  };
}

/** The output of an outcome; throws its refusal. */
export function outputOf({ refusal, output = {} }: Outcome): object {
  if (refusal !== undefined) throw new FunctionError(refusal.code, refusal.message);
  return output;
}
