import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { AttributeMap } from '../dynamo/client.ts';
import { queryItems } from '../dynamo/pages.ts';
import type { EventSearch } from '../kit/index.ts';
import { dayKey, dayOf, daysKey, type EventKind, indexKey, timestampOf } from '../notifier/keys.ts';
import { conditionOf } from './condition.ts';
import { type IdRange, idsOf } from './range.ts';

/** Where to search. */
export interface EventTable {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  readonly signal: AbortSignal;
}

/** A partition of the table or of one of its indexes. */
interface Partition {
  readonly index?: string;
  readonly attribute: string;
  readonly key: string;
}

/**
 * The first `limit` items of a kind that a search finds, in its order: by the most selective index it can use, else
 * day by day, and no further than needed.
 */
export async function searchItems(
  { client, table, signal }: EventTable,
  kind: EventKind,
  search: EventSearch,
): Promise<readonly AttributeMap[]> {
  const range = idsOf(search);
  if (range === undefined) return [];
  const { expression, names, values, isSelective } = conditionOf(search, Math.floor(Date.now() / 1000));
  const excluded = new Set(search.excludeIds);
  const found: AttributeMap[] = [];
  for await (const { index, attribute, key } of partitions()) {
    const query = {
      TableName: table,
      ...(index === undefined ? {} : { IndexName: index }),
      KeyConditionExpression: '#key = :key AND #id BETWEEN :from AND :to',
      FilterExpression: expression,
      ExpressionAttributeNames: { ...names, '#key': attribute, '#id': 'id' },
      ExpressionAttributeValues: { ...values, ':key': key, ':from': range.from, ':to': range.to },
      ScanIndexForward: search.order === 'asc',
      // DynamoDB counts, and charges, what it reads and not what passes the filter
      ...(isSelective ? {} : { Limit: search.limit + excluded.size }),
    };
    for await (const item of queryItems(client, query, signal)) {
      if (excluded.has(String(item['id']))) continue;
      found.push(item);
      if (found.length === search.limit) return found;
    }
  }
  return found;

  async function* partitions(): AsyncGenerator<Partition> {
    const indexes = [
      ['by-user', 'by_user', search.username],
      ['by-ip', 'by_ip', search.ip],
      ['by-role', 'by_role', search.role],
    ] as const;
    for (const [index, attribute, value] of indexes) {
      const key = await indexKey(kind, value);
      if (key === undefined) continue;
      yield { index, attribute, key };
      return;
    }
    for await (const day of daysWithin(range as IdRange)) {
      yield { attribute: 'day', key: dayKey(kind, day) };
    }
  }

  /** The days that have events, in the order of the search. */
  async function* daysWithin(ids: IdRange): AsyncGenerator<string> {
    const query = {
      TableName: table,
      KeyConditionExpression: '#key = :key AND #id BETWEEN :from AND :to',
      ExpressionAttributeNames: { '#key': 'day', '#id': 'id' },
      ExpressionAttributeValues: {
        ':key': daysKey(kind),
        ':from': dayOf(timestampOf(ids.from) ?? 0n),
        ':to': dayOf(timestampOf(ids.to) ?? 0n),
      },
      ScanIndexForward: search.order === 'asc',
    };
    for await (const item of queryItems(client, query, signal)) yield String(item['id']);
  }
}
