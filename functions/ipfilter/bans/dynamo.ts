/**
 * Bans in DynamoDB, for an ipfilter function on Lambda. Subpath `sftpgo-plugin-serverless/functions/ipfilter/bans/dynamo`.
 */
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  GetCommand,
  PutCommand,
  ScanCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Attribute } from '../../dynamo/client.ts';
import { lazyClient } from '../../dynamo/client.ts';
import { onTable } from '../../dynamo/failure.ts';
import { type TableOptions, tableName } from '../../dynamo/options.ts';
import { FunctionError } from '../../kit/index.ts';
import { banFor } from './offences.ts';
import { type Ban, type BanStore, type Bans, fewLengths, networksAround } from './store.ts';

/** The table of bans, as DynamoDB's CreateTable takes it; set its TTL attribute to `expires`. */
export const bansTable = {
  TableName: 'sftpgo-bans',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [{ AttributeName: 'network', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'network', KeyType: 'HASH' }],
} as const;

/** The variable with the table's name. */
export const bansTableVariable = 'BANS_TABLE';

/** A signature can be replayed for 90 s: so long the id of an ended ban's call is kept. */
const tombstoneMs = 120_000;

/**
 * A store in DynamoDB: exact, one item a ban, its key the network. Offences are counted in fixed windows of
 * `rate.per`, so a burst over the border of two may need up to twice the attempts. One read for each prefix length, so
 * there are few: IPv4 /32, /24, /16; IPv6 /128, /64, /56, /48, /32. Needs dynamodb:BatchGetItem, GetItem, PutItem,
 * UpdateItem, DeleteItem and Scan.
 *
 * ```ts
 * const bans = createBans({ store: dynamoBans(), rate: { attempts: 20, per: '1m', for: '15m' } });
 * ```
 */
export function dynamoBans(options: TableOptions = {}): BanStore {
  const client = lazyClient(options);
  return {
    counting: 'exact',
    lengths: fewLengths,
    open(env, log) {
      const TableName = tableName(options, env, bansTableVariable, bansTable.TableName);
      const on = <T>(work: () => Promise<T>) => onTable(TableName, log, work);
      const bans: Bans = {
        async find(address, nowMs) {
          const Keys = networksAround(address, fewLengths[address.family]).map((network) => ({ network }));
          const request = new BatchGetCommand({
            RequestItems: { [TableName]: { Keys, ConsistentRead: true } },
          });
          const { Responses, UnprocessedKeys } = await on(() => client().send(request));
          // a part of the answer is no answer
          if (Object.keys(UnprocessedKeys ?? {}).length > 0)
            throw new FunctionError('unavailable', 'throttled');
          return (Responses?.[TableName] ?? []).map(banOf).find(({ untilMs }) => untilMs > nowMs);
        },
        async add(ban, id, nowMs) {
          const { network, untilMs, reason, by } = ban;
          const expires = seconds(Math.max(untilMs, nowMs + tombstoneMs));
          const written = await on(() =>
            happened(
              client().send(
                new PutCommand({
                  TableName,
                  Item: { network, until: BigInt(untilMs), reason, by, id, expires },
                  ConditionExpression: 'attribute_not_exists(#n) OR (#u < :until AND #i <> :id)',
                  ExpressionAttributeNames: { '#n': 'network', '#u': 'until', '#i': 'id' },
                  ExpressionAttributeValues: { ':until': BigInt(untilMs), ':id': id },
                }),
              ),
            ),
          );
          if (written) return ban;
          const get = new GetCommand({ TableName, Key: { network }, ConsistentRead: true });
          const { Item } = await on(() => client().send(get));
          return Item === undefined ? ban : banOf(Item);
        },
        remove: (network, _, nowMs) =>
          on(() =>
            happened(
              client().send(
                new UpdateCommand({
                  TableName,
                  Key: { network },
                  // not deleted: a replay of the call that banned must not ban again
                  UpdateExpression: 'SET #u = :never, #e = :expires',
                  ConditionExpression: '#u > :now',
                  ExpressionAttributeNames: { '#u': 'until', '#e': 'expires' },
                  ExpressionAttributeValues: {
                    ':never': 0n,
                    ':now': BigInt(nowMs),
                    ':expires': seconds(nowMs + tombstoneMs),
                  },
                }),
              ),
            ),
          ),
        async page(cursor, Limit, nowMs) {
          const scan = new ScanCommand({
            TableName,
            Limit,
            ConsistentRead: true,
            FilterExpression: '#u > :now',
            ExpressionAttributeNames: { '#u': 'until' },
            ExpressionAttributeValues: { ':now': BigInt(nowMs) },
            ...(cursor === '' ? {} : { ExclusiveStartKey: { network: cursor } }),
          });
          const { Items = [], LastEvaluatedKey } = await on(() => client().send(scan));
          return { bans: Items.map(banOf), cursor: String(LastEvaluatedKey?.['network'] ?? '') };
        },
        async count(network, reason, limit, id, nowMs) {
          const window = Math.floor(nowMs / limit.perMs);
          const Key = { network: `offences ${network} ${window}` };
          const update = new UpdateCommand({
            TableName,
            Key,
            // a set of call ids: what is sent twice counts once
            UpdateExpression: 'ADD #c :id SET #e = :expires',
            ExpressionAttributeNames: { '#c': 'calls', '#e': 'expires' },
            ExpressionAttributeValues: {
              ':id': new Set([id]),
              ':expires': seconds((window + 1) * limit.perMs + tombstoneMs),
            },
            ReturnValues: 'ALL_NEW',
          });
          const { Attributes } = await on(() => client().send(update));
          const calls: unknown = Attributes?.['calls'];
          const count = calls instanceof Set ? calls.size : 0;
          if (count < limit.attempts) return { count };
          const ban = await bans.add(banFor(network, reason, limit, nowMs), id, nowMs);
          await on(() => client().send(new DeleteCommand({ TableName, Key })));
          return { count: 0, ban };
        },
      };
      return bans;
    },
  };
}

/** TTL is in whole seconds. */
function seconds(ms: number): bigint {
  return BigInt(Math.ceil(ms / 1000));
}

function banOf(item: Readonly<Record<string, Attribute>>): Ban {
  const { network, until, reason, by } = item;
  if (typeof network !== 'string' || typeof until !== 'bigint') {
    throw new FunctionError('unavailable', 'an item of the table of bans is not a ban');
  }
  return { network, untilMs: Number(until), reason: String(reason), by: String(by) };
}

/** Was the condition of a write met? */
async function happened(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
