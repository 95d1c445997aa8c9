import { afterAll, beforeAll, expect, test } from 'vitest';
import { createInvoke } from '../../adapter/invoke/index.ts';
import { compose } from '../../adapter/policies/compose.ts';
import { eventsearcherSection } from '../../adapter/policies/eventsearcher/config.ts';
import { eventsearcherPolicies } from '../../adapter/policies/eventsearcher/index.ts';
import { metadataSection } from '../../adapter/policies/metadata/config.ts';
import { metadataPolicies } from '../../adapter/policies/metadata/index.ts';
import { notifierSection } from '../../adapter/policies/notifier/config.ts';
import { notifierPolicies } from '../../adapter/policies/notifier/index.ts';
import { hostError } from '../../adapter/role/host-error.ts';
import type { Policy } from '../../adapter/shapes.ts';
import { searchEvents } from '../../functions/eventsearcher/index.ts';
import type { Plugin } from '../../functions/kit/index.ts';
import { storeTimes } from '../../functions/metadata/index.ts';
import { metadataTable } from '../../functions/metadata/tables.ts';
import { storeEvents } from '../../functions/notifier/index.ts';
import { eventsTable } from '../../functions/notifier/tables.ts';
import { Metadata } from '../../proto/gen/sftpgo/metadata_pb.ts';
import { Notifier } from '../../proto/gen/sftpgo/notifier_pb.ts';
import { Searcher } from '../../proto/gen/sftpgo/searcher_pb.ts';
import { type Dynamo, startDynamo } from '../support/dynamo.ts';
import { parseEvents } from '../support/event-reference.ts';
import { newKeys, startFunction } from '../support/function-server.ts';
import { callOf, connectionTo } from '../support/invoke.ts';

let dynamo: Dynamo;

beforeAll(async () => {
  dynamo = await startDynamo();
  await dynamo.create(eventsTable);
  await dynamo.create(metadataTable);
});
afterAll(() => dynamo.close());

/** A plugin behind the signed path: policies, invoke, loopback, kit. */
async function adapterTo(plugin: Plugin<object>, policies: readonly Policy[]) {
  const keys = newKeys();
  const server = await startFunction({ ...keys, plugin });
  const handle = compose(policies, createInvoke(connectionTo(server.url, keys)));
  return { server, handle };
}

test('through the adapter: an event that the host sends twice is one row, and unverified answers store nothing', async () => {
  const section = notifierSection.parse({ use: 'events', instance: 'node 7' });
  const notifier = await adapterTo(storeEvents({ client: dynamo.client }), notifierPolicies(section));
  const searcher = await adapterTo(
    searchEvents({ client: dynamo.client }),
    eventsearcherPolicies(eventsearcherSection.parse({ use: 'search' })),
  );
  const timestamp = 1_697_040_000_123_456_789n;
  const event = { timestamp, action: 'upload', username: 'bob', metadata: { b: '1', a: '2' } };
  const send = () => notifier.handle(callOf(Notifier.method.sendFsEvent, event));
  const find = async () => {
    const { output } = await searcher.handle(
      callOf(Searcher.method.searchFsEvents, { limit: 10, fsProvider: -1 }),
    );
    return parseEvents(new TextDecoder().decode(Reflect.get(output, 'data') as Uint8Array));
  };
  const unsigned = new TextEncoder().encode('{}');
  notifier.server.intercept = () => ({
    status: 200,
    headers: [['content-type', 'application/json']],
    body: unsigned,
  });
  await expect(send()).rejects.toMatchObject({ code: 'ANSWER_UNSIGNED' });
  expect(await find()).toEqual([]);
  // stored, and the answer is lost on its way: the host keeps the event and sends it again
  notifier.server.intercept = async (_, honest) => {
    await honest();
    return 'reset' as const;
  };
  await expect(send()).rejects.toMatchObject({ code: 'UNREACHABLE' });
  notifier.server.intercept = undefined;
  await send();
  await send();
  expect(await find()).toMatchObject([{ timestamp, username: 'bob', instance_id: 'node 7' }]);
  await Promise.all([notifier.server.close(), searcher.server.close()]);
});

test('through the adapter: a file without a time is NOT_FOUND to the host', async () => {
  const { handle, server } = await adapterTo(
    storeTimes({ client: dynamo.client }),
    metadataPolicies(metadataSection.parse({ use: 'times' })),
  );
  const file = { storageId: 's3://bucket', objectPath: '/a' };
  const get = callOf(Metadata.method.getModificationTime, file);
  const missing = await handle(get).catch((error: unknown) => error);
  expect(hostError(missing, get.id, get.traits).grpcCode).toBe(5);
  await handle(
    callOf(Metadata.method.setModificationTime, { ...file, modificationTime: 1_697_040_000_123n }),
  );
  const found = await handle(callOf(Metadata.method.getModificationTime, file));
  expect(found.output).toMatchObject({ modificationTime: 1_697_040_000_123n });
  await server.close();
});
