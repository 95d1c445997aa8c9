import { type DynamoDBDocumentClient, QueryCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import type { AttributeMap } from './client.ts';

/** The items of a query, page by page as they are asked for. */
export async function* queryItems(
  client: DynamoDBDocumentClient,
  query: QueryCommandInput,
  signal: AbortSignal,
): AsyncGenerator<AttributeMap> {
  let from: QueryCommandInput['ExclusiveStartKey'];
  do {
    const page = await client.send(
      new QueryCommand({ ...query, ...(from === undefined ? {} : { ExclusiveStartKey: from }) }),
      { abortSignal: signal },
    );
    for (const item of page.Items ?? []) yield item as AttributeMap;
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
}
