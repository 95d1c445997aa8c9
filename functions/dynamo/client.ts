import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { TableOptions } from './options.ts';

/** An attribute as the document client gives it here: every number is a bigint. */
export type Attribute = string | bigint | boolean | null | Uint8Array | ReadonlySet<string> | AttributeMap;

/** An item, or a map inside one. */
export interface AttributeMap {
  readonly [name: string]: Attribute | undefined;
}

/**
 * The document client of a function. Two attempts: the host waits 20 s, and sends again what may be sent again.
 * Connecting takes milliseconds inside a region, so a second without a connection is an outage. Numbers come back
 * as bigint, digit by digit: nanoseconds do not fit a JavaScript number.
 */
export function documentClient({ client }: TableOptions): DynamoDBDocumentClient {
  const base = new DynamoDBClient({
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 5_000 },
    ...client,
  });
  return DynamoDBDocumentClient.from(base, {
    marshallOptions: { removeUndefinedValues: true },
    unmarshallOptions: { wrapNumbers: (digits) => BigInt(digits) },
  });
}

/** Makes the client at its first use: building, testing and describing a plugin need no AWS settings. */
export function lazyClient(options: TableOptions): () => DynamoDBDocumentClient {
  let made: DynamoDBDocumentClient | undefined;
  return () => {
    made ??= documentClient(options);
    return made;
  };
}
