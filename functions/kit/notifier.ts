import { pluginHeaders } from '../../proto/facts.ts';
import { type FsEvent, type LogEvent, notifierService, type ProviderEvent } from '../../proto/gen/wire.ts';
import type { Context } from './context.ts';
import { definePlugin } from './define.ts';
import { maxDrainBytes } from './limits.ts';
import type { Outcome, Plugin, Rpc } from './plugin.ts';

/** What a handler of events gets beside the event. */
export interface EventContext<Env = unknown> extends Context<Env> {
  /**
   * The event's own id: the same whenever SFTPGo or the adapter sends this event again, in 20 ms or in an hour.
   * Store by it, and an event is stored once.
   */
  readonly id: string;
  /** The SFTPGo node that it happened on, as the adapter's configuration names it; signed. */
  readonly instance: string;
}

/**
 * What the author of a notifier plugin writes: only what is there is asked for. SFTPGo forgets an event as soon as
 * its handler has returned, so return when it is safe. What a handler throws makes SFTPGo keep the event and send
 * it again, if `retry_max_time` is set there.
 */
export interface Notifier<Env> {
  /** Something happened to a file or folder. */
  fsEvent?(event: FsEvent, context: EventContext<Env>): void | Promise<void>;
  /** A user, folder, admin, … was added, updated or deleted. */
  providerEvent?(event: ProviderEvent, context: EventContext<Env>): void | Promise<void>;
  /** A login failed or succeeded. */
  logEvent?(event: LogEvent, context: EventContext<Env>): void | Promise<void>;
}

/** What {@link notifier} makes: the default export of a notifier function. */
export interface NotifierPlugin<Env = unknown> extends Plugin<Env> {
  readonly type: 'notifier';
}

/**
 * Makes an SFTPGo notifier plugin.
 *
 * ```ts
 * import { notifier } from 'sftpgo-plugin-serverless/kit';
 *
 * export default notifier<{ HOOK_URL: string }>({
 *   async fsEvent({ action, username, virtualPath }, { env, id, instance, signal }) {
 *     const body = JSON.stringify({ id, instance, action, username, virtualPath });
 *     const answer = await fetch(env.HOOK_URL, { method: 'POST', body, signal });
 *     if (!answer.ok) throw new Error(`the hook answered ${answer.status}`);
 *   },
 * });
 * ```
 */
export function notifier<Env = unknown>(handlers: Notifier<Env>): NotifierPlugin<Env> {
  const { sendFsEvent, sendProviderEvent, sendLogEvent } = notifierService.methods;
  const rpcs: Record<string, Rpc<Env>> = {};
  const add = <E>(table: Rpc<Env>['table'], handler: Handler<E, Env> | undefined) => {
    if (handler === undefined) return;
    rpcs[table.name] = {
      table,
      async run(event: E, context, signed): Promise<Outcome> {
        await handler(event, { ...context, instance: signed.get(pluginHeaders.instance) ?? '' });
        return {};
      },
    };
  };
  add(sendFsEvent, handlers.fsEvent?.bind(handlers));
  add(sendProviderEvent, handlers.providerEvent?.bind(handlers));
  add(sendLogEvent, handlers.logEvent?.bind(handlers));
  const plugin = definePlugin<Env>({
    type: 'notifier',
    service: notifierService.typeName,
    maxRequestBytes: maxDrainBytes,
    rpcs,
  });
  return { ...plugin, type: 'notifier' };
}

type Handler<E, Env> = (event: E, context: EventContext<Env>) => void | Promise<void>;
