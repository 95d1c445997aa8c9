import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { AttributeMap } from '../dynamo/client.ts';
import { queryItems } from '../dynamo/pages.ts';
import type { FoldersPage } from '../kit/index.ts';
import type { Key } from './keys.ts';

/** Where times are, for one call. */
export interface TimesTable {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  readonly signal: AbortSignal;
}

/** A file, and its folder's place in the list of folders. */
export interface FileInFolder {
  readonly file: Key;
  readonly folder: Key;
}

/**
 * Stores a time, then lists its folder with a new mark. In this order, and marked each time: a removal that saw the
 * folder empty before the file came then finds another mark, and leaves the folder in the list.
 */
export async function writeTime(
  { client, table, signal }: TimesTable,
  { file, folder }: FileInFolder,
  modifiedMs: bigint,
): Promise<void> {
  await client.send(new PutCommand({ TableName: table, Item: { ...file, modified_ms: modifiedMs } }), {
    abortSignal: signal,
  });
  const mark = crypto.randomUUID();
  await client.send(new PutCommand({ TableName: table, Item: { ...folder, mark } }), { abortSignal: signal });
}

/** A file's time in ms; undefined where there is none. */
export async function readTime(
  { client, table, signal }: TimesTable,
  file: Key,
): Promise<bigint | undefined> {
  // SFTPGo looks at a file right after it set its time
  const command = new GetCommand({ TableName: table, Key: { ...file }, ConsistentRead: true });
  const { Item } = await client.send(command, { abortSignal: signal });
  return timeOf(Item as AttributeMap | undefined);
}

/** The times of a folder's files, by name. */
export async function listTimes(
  { client, table, signal }: TimesTable,
  place: string,
): Promise<Readonly<Record<string, bigint>>> {
  const entries: [string, bigint][] = [];
  for await (const item of queryItems(client, inPlace(table, place), signal)) {
    const time = timeOf(item);
    if (time !== undefined) entries.push([String(item['name']), time]);
  }
  return Object.fromEntries(entries);
}

/** Forgets a file, and takes its folder out of the list when that was its last. */
export async function removeTime(times: TimesTable, { file, folder }: FileInFolder): Promise<void> {
  const { client, table, signal } = times;
  await client.send(new DeleteCommand({ TableName: table, Key: { ...file } }), { abortSignal: signal });
  const listed = new GetCommand({ TableName: table, Key: { ...folder }, ConsistentRead: true });
  const { Item } = await client.send(listed, { abortSignal: signal });
  if (Item === undefined) return;
  const firstLeft = queryItems(client, { ...inPlace(table, file.place), Limit: 1 }, signal);
  if ((await firstLeft.next()).done === false) return;
  try {
    const unlessMarkedAnew = new DeleteCommand({
      TableName: table,
      Key: { ...folder },
      ConditionExpression: '#mark = :mark',
      ExpressionAttributeNames: { '#mark': 'mark' },
      ExpressionAttributeValues: { ':mark': Item['mark'] },
    });
    await client.send(unlessMarkedAnew, { abortSignal: signal });
  } catch (error) {
    if (!(error instanceof Error && error.name === 'ConditionalCheckFailedException')) throw error;
  }
}

/** Folders strictly after `from`, ascending by their bytes, as DynamoDB sorts. */
export async function listFolders(
  { client, table, signal }: TimesTable,
  place: string,
  { limit, from }: Pick<FoldersPage, 'limit' | 'from'>,
): Promise<readonly string[]> {
  const query = {
    TableName: table,
    KeyConditionExpression: from === '' ? '#place = :place' : '#place = :place AND #name > :from',
    ExpressionAttributeNames: { '#place': 'place', ...(from === '' ? {} : { '#name': 'name' }) },
    ExpressionAttributeValues: { ':place': place, ...(from === '' ? {} : { ':from': from }) },
    ConsistentRead: true,
    ...(limit === undefined ? {} : { Limit: limit }),
  };
  const folders: string[] = [];
  for await (const item of queryItems(client, query, signal)) {
    folders.push(String(item['name']));
    if (folders.length === limit) break;
  }
  return folders;
}

function inPlace(table: string, place: string) {
  return {
    TableName: table,
    KeyConditionExpression: '#place = :place',
    ExpressionAttributeNames: { '#place': 'place' },
    ExpressionAttributeValues: { ':place': place },
    ConsistentRead: true,
  };
}

function timeOf(item: AttributeMap | undefined): bigint | undefined {
  const time = item?.['modified_ms'];
  return typeof time === 'bigint' ? time : undefined;
}
