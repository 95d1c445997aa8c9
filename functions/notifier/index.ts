/**
 * An SFTPGo notifier plugin that stores events in DynamoDB, for the eventsearcher beside it.
 * Subpath `sftpgo-plugin-serverless/functions/notifier`; docs/events.md.
 */
import { type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { FsEvent, LogEvent, ProviderEvent } from '../../proto/gen/wire.ts';
import { lazyClient } from '../dynamo/client.ts';
import { onTable } from '../dynamo/failure.ts';
import { type TableOptions, tableName } from '../dynamo/options.ts';
import { type EventContext, FunctionError, type NotifierPlugin, notifier } from '../kit/index.ts';
import { eventAttributes, sizeOf } from './item.ts';
import { dayKey, dayOf, daysKey, type EventKind, eventId, indexKey, isStorable } from './keys.ts';
import { eventsTable, eventsTableVariable } from './tables.ts';

export { eventsTable, eventsTtl } from './tables.ts';

/** Where and for how long events are kept. */
export interface EventStoreOptions extends TableOptions {
  /** Whole days until an event goes, counted from its own time; absent: never. Needs time to live on the table. */
  readonly retentionDays?: number;
}

/** DynamoDB takes 400 KB an item, the keys and each index's copy of them included. */
const maxItemBytes = 380_000;
const dayS = 86_400;

/**
 * Makes a notifier plugin that stores every event once, however often it is sent.
 *
 * ```ts
 * import { storeEvents } from 'sftpgo-plugin-serverless/functions/notifier';
 *
 * export default storeEvents({ retentionDays: 90 });
 * ```
 *
 * @throws RangeError when `retentionDays` is no whole number of days
 */
export function storeEvents(options: EventStoreOptions = {}): NotifierPlugin {
  const { retentionDays } = options;
  if (retentionDays !== undefined && !(Number.isInteger(retentionDays) && retentionDays > 0)) {
    throw new RangeError('retentionDays must be a whole number of days, at least 1');
  }
  const client = lazyClient(options);
  const days = new KnownDays();

  async function store(kind: EventKind, event: FsEvent | ProviderEvent | LogEvent, context: EventContext) {
    const table = tableName(options, context.env, eventsTableVariable, eventsTable.TableName);
    const item = await itemOf(kind, event, context);
    await onTable(table, context.log, async () => {
      // the last event of a day is less than a day younger than this one
      const dayEnds = expiryOf(event.timestamp, 1);
      await days.ensure(client(), table, kind, item.dayName, dayEnds, context.signal);
      await putOnce(client(), table, item.attributes, context.signal);
    });
  }

  async function itemOf(kind: EventKind, event: FsEvent | ProviderEvent | LogEvent, context: EventContext) {
    const { timestamp } = event;
    if (!isStorable(timestamp)) throw new FunctionError('invalid_argument', 'the event has no time');
    const dayName = dayOf(timestamp);
    let own = eventAttributes(event);
    if (sizeOf(own) > maxItemBytes && 'object_data' in own) {
      context.log.warn('object_data is too large for DynamoDB: the event is stored without it');
      const { object_data: _, ...rest } = own;
      own = rest;
    }
    if (sizeOf(own) > maxItemBytes) {
      throw new FunctionError('invalid_argument', 'the event is too large for DynamoDB');
    }
    const attributes = {
      day: dayKey(kind, dayName),
      id: await eventId(timestamp, context.id),
      timestamp,
      by_user: await indexKey(kind, event.username),
      by_ip: await indexKey(kind, event.ip),
      by_role: await indexKey(kind, event.role),
      instance_id: context.instance === '' ? undefined : context.instance,
      expires_at: expiryOf(timestamp, 0),
      ...own,
    };
    return { dayName, attributes };
  }

  /** Unix seconds; `extraDays` for what must outlast the events. */
  function expiryOf(timestamp: bigint, extraDays: number): number | undefined {
    if (retentionDays === undefined) return undefined;
    return Number(timestamp / 1_000_000_000n) + (retentionDays + extraDays) * dayS;
  }

  return notifier({
    fsEvent: (event, context) => store('fs', event, context),
    providerEvent: (event, context) => store('provider', event, context),
    logEvent: (event, context) => store('log', event, context),
  });
}

/** Puts an item unless it is there: an event that is sent again is stored already, and that is a success. */
async function putOnce(client: DynamoDBDocumentClient, table: string, item: object, signal: AbortSignal) {
  await put(
    client,
    { TableName: table, Item: { ...item }, ConditionExpression: 'attribute_not_exists(id)' },
    signal,
  );
}

async function put(
  client: DynamoDBDocumentClient,
  input: ConstructorParameters<typeof PutCommand>[0],
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.send(new PutCommand(input), { abortSignal: signal });
  } catch (error) {
    if (!(error instanceof Error && error.name === 'ConditionalCheckFailedException')) throw error;
  }
}

/**
 * The list of days that have events, so that a search knows which partitions there are. A day is written before
 * its first event, and by each isolate once.
 */
class KnownDays {
  readonly #written = new Set<string>();

  async ensure(
    client: DynamoDBDocumentClient,
    table: string,
    kind: EventKind,
    day: string,
    expiresAt: number | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const name = `${table} ${kind} ${day}`;
    if (this.#written.has(name)) return;
    await put(
      client,
      {
        TableName: table,
        Item: { day: daysKey(kind), id: day, expires_at: expiresAt },
        ...(expiresAt === undefined
          ? {}
          : {
              ConditionExpression: 'attribute_not_exists(id) OR expires_at < :end',
              ExpressionAttributeValues: { ':end': expiresAt },
            }),
      },
      signal,
    );
    this.#written.add(name);
  }
}
