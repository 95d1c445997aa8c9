/**
 * An SFTPGo eventsearcher plugin over the DynamoDB table that the notifier beside it fills.
 * Subpath `sftpgo-plugin-serverless/functions/eventsearcher`; docs/events.md.
 */
import { type AttributeMap, lazyClient } from '../dynamo/client.ts';
import { onTable } from '../dynamo/failure.ts';
import { type TableOptions, tableName } from '../dynamo/options.ts';
import { type Context, type EventSearch, type EventsearcherPlugin, eventsearcher } from '../kit/index.ts';
import type { EventKind } from '../notifier/keys.ts';
import { eventsTable, eventsTableVariable } from '../notifier/tables.ts';
import { fsEventOf, logEventOf, providerEventOf } from './found.ts';
import { searchItems } from './search.ts';

export { eventsTable, eventsTtl } from '../notifier/tables.ts';

/**
 * Makes an eventsearcher plugin.
 *
 * ```ts
 * import { searchEvents } from 'sftpgo-plugin-serverless/functions/eventsearcher';
 *
 * export default searchEvents();
 * ```
 */
export function searchEvents(options: TableOptions = {}): EventsearcherPlugin {
  const client = lazyClient(options);
  const find =
    <E>(kind: EventKind, eventOf: (item: AttributeMap) => E) =>
    async (search: EventSearch, { env, log, signal }: Context): Promise<readonly E[]> => {
      const table = tableName(options, env, eventsTableVariable, eventsTable.TableName);
      const items = await onTable(table, log, () =>
        searchItems({ client: client(), table, signal }, kind, search),
      );
      return items.map(eventOf);
    };
  return eventsearcher({
    searchFsEvents: find('fs', fsEventOf),
    searchProviderEvents: find('provider', providerEventOf),
    searchLogEvents: find('log', logEventOf),
  });
}
