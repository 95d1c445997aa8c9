import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';

/** How a function reaches its table. */
export interface TableOptions {
  /** Its name; absent: the environment variable of the function's page, else the name in `tables.ts`. */
  readonly table?: string;
  /** For the SDK's client; absent: region and credentials from the environment, as on Lambda. */
  readonly client?: Pick<DynamoDBClientConfig, 'region' | 'endpoint' | 'credentials'>;
}

/** The table's name: from the options, else from the environment, else the default. */
export function tableName(options: TableOptions, env: unknown, variable: string, fallback: string): string {
  if (options.table !== undefined) return options.table;
  const value: unknown = typeof env === 'object' && env !== null ? Reflect.get(env, variable) : undefined;
  return typeof value === 'string' && value !== '' ? value : fallback;
}
