import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { CreateTableCommand, type CreateTableCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** A DynamoDB on loopback, spoken to over HTTP by the real SDK. */
export interface Dynamo {
  readonly url: string;
  /** What a client of the SDK needs to reach it. */
  readonly client: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  /** Creates a table out of a definition in a `tables.ts`. */
  create(table: object): Promise<void>;
  close(): Promise<void>;
}

// it has no types of its own
const dynalite = createRequire(import.meta.url)('dynalite') as (options: object) => Server;

/** Starts dynalite, in memory, on a free port. */
export async function startDynamo(): Promise<Dynamo> {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = {
    endpoint: url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  const admin = new DynamoDBClient(client);
  return {
    url,
    client,
    async create(table) {
      await admin.send(new CreateTableCommand(table as CreateTableCommandInput));
    },
    async close() {
      admin.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
