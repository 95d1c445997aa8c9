import { searcherService } from '../../proto/gen/wire.ts';
import type { Context } from './context.ts';
import { definePlugin } from './define.ts';
import { eventsJson, type JsonField } from './event-json.ts';
import {
  type EventSearch,
  type FsEventSearch,
  fsEventSearch,
  type LogEventSearch,
  logEventSearch,
  type ProviderEventSearch,
  providerEventSearch,
} from './event-search.ts';
import {
  type FoundFsEvent,
  type FoundLogEvent,
  type FoundProviderEvent,
  fsEventJson,
  logEventJson,
  providerEventJson,
} from './found-event.ts';
import { maxFoundBytes } from './limits.ts';
import type { Outcome, Plugin, Rpc } from './plugin.ts';
import { refusal } from './refusal.ts';

/**
 * What the author of an eventsearcher plugin writes: only what is there is asked for. Each search answers with at
 * most `limit` events in its `order`. What it throws becomes an error of the REST API.
 */
export interface Eventsearcher<Env> {
  searchFsEvents?(
    search: FsEventSearch,
    context: Context<Env>,
  ): readonly FoundFsEvent[] | Promise<readonly FoundFsEvent[]>;
  searchProviderEvents?(
    search: ProviderEventSearch,
    context: Context<Env>,
  ): readonly FoundProviderEvent[] | Promise<readonly FoundProviderEvent[]>;
  searchLogEvents?(
    search: LogEventSearch,
    context: Context<Env>,
  ): readonly FoundLogEvent[] | Promise<readonly FoundLogEvent[]>;
}

/** What {@link eventsearcher} makes: the default export of an eventsearcher function. */
export interface EventsearcherPlugin<Env = unknown> extends Plugin<Env> {
  readonly type: 'eventsearcher';
}

/**
 * Makes an SFTPGo eventsearcher plugin.
 *
 * ```ts
 * import { eventsearcher } from 'sftpgo-plugin-serverless/kit';
 *
 * export default eventsearcher<{ EVENTS: EventStore }>({
 *   searchFsEvents: (search, { env, signal }) => env.EVENTS.find('fs', search, signal),
 * });
 * ```
 */
export function eventsearcher<Env = unknown>(searches: Eventsearcher<Env>): EventsearcherPlugin<Env> {
  const methods = searcherService.methods;
  const rpcs: Record<string, Rpc<Env>> = {};
  const add = <F, S extends EventSearch>(
    table: Rpc<Env>['table'],
    read: (filter: F) => S,
    fieldsOf: (search: S) => readonly JsonField[],
    search: Search<S, Env> | undefined,
  ) => {
    if (search === undefined) return;
    rpcs[table.name] = {
      table,
      async run(filter: F, context): Promise<Outcome> {
        const asked = read(filter);
        if (asked.limit < 1 || asked.limit > 1000)
          return refusal('invalid_argument', 'limit is not 1 to 1000');
        return found(await search(asked, context), fieldsOf(asked), asked.limit);
      },
    };
  };
  add(methods.searchFsEvents, fsEventSearch, () => fsEventJson, searches.searchFsEvents?.bind(searches));
  add(
    methods.searchProviderEvents,
    providerEventSearch,
    (search) =>
      search.omitObjectData ? providerEventJson.filter(({ kind }) => kind !== 'bytes') : providerEventJson,
    searches.searchProviderEvents?.bind(searches),
  );
  add(methods.searchLogEvents, logEventSearch, () => logEventJson, searches.searchLogEvents?.bind(searches));
  const plugin = definePlugin<Env>({
    type: 'eventsearcher',
    service: searcherService.typeName,
    maxRequestBytes: 2 * 1024 * 1024,
    rpcs,
  });
  return { ...plugin, type: 'eventsearcher' };
}

type Search<S, Env> = (search: S, context: Context<Env>) => readonly object[] | Promise<readonly object[]>;

function found(events: readonly object[], fields: readonly JsonField[], limit: number): Outcome {
  if (events.length > limit) throw new TypeError(`${events.length} events where ${limit} were asked for`);
  const data = new TextEncoder().encode(eventsJson(events, fields));
  // a shorter page would tell SFTPGo that there is nothing more
  return data.byteLength > maxFoundBytes
    ? refusal('resource_exhausted', 'the events do not fit into one answer: search with a smaller limit')
    : { output: { data } };
}
