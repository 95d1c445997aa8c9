import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { searchEvents } from '../../functions/eventsearcher/index.ts';
import { call } from '../../functions/kit/test.ts';
import { storeEvents } from '../../functions/notifier/index.ts';
import { eventsTable } from '../../functions/notifier/tables.ts';
import type { FsEvent, FsEventsFilter } from '../../proto/gen/wire.ts';
import { type Dynamo, startDynamo } from '../support/dynamo.ts';
import { naiveSearch, parseEvents, type Stored } from '../support/event-reference.ts';

let dynamo: Dynamo;
let tables = 0;

beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.close());

/** Notifier and eventsearcher over a table of their own. */
async function eventStore(options: { retentionDays?: number } = {}) {
  const table = `events-${++tables}`;
  await dynamo.create({ ...eventsTable, TableName: table });
  const { client } = dynamo;
  const store = storeEvents({ client, table, ...options });
  let sent = 0;
  return {
    search: call(searchEvents({ client, table })),
    send: (event: Partial<FsEvent>, { id = `event ${++sent}`, instance = 'node1' } = {}) =>
      call(store, { id, instance }).fsEvent(event),
    notifier: (id = `event ${++sent}`, instance = 'node1') => call(store, { id, instance }),
  };
}

const noon = 1_772_366_400_000_000_000n;
const dayNs = 86_400_000_000_000n;

/** Stores many events, some at a time. */
async function storeAll(
  send: (event: Partial<FsEvent>) => Promise<void>,
  events: readonly Partial<FsEvent>[],
) {
  for (let start = 0; start < events.length; start += 25) {
    await Promise.all(events.slice(start, start + 25).map((event) => send(event)));
  }
}

test('an event has exactly the keys and digits that SFTPGo reads; what is empty is left out as it expects', async () => {
  const { search, notifier } = await eventStore();
  const timestamp = 1_697_040_000_123_456_789n;
  const { fsEvent, providerEvent, logEvent } = notifier('one');
  await fsEvent({ timestamp, action: 'mkdir', username: 'bob' });
  await fsEvent({
    timestamp: timestamp + 1n,
    action: 'rename',
    username: 'bob',
    fsPath: '/srv/a',
    fsTargetPath: '/srv/b',
    sshCmd: 'mv',
    fileSize: 9_007_199_254_740_993n,
    protocol: 'SSH',
    status: 1,
    ip: '192.0.2.1',
    virtualPath: '/a',
    virtualTargetPath: '/b',
    sessionId: 's1',
    fsProvider: 1,
    bucket: 'bucket',
    endpoint: 'https://s3.example.com',
    openFlags: 513,
    role: 'r',
    elapsed: 12n,
    metadata: { kept: 'but not shown' },
  });
  expect(await search.searchFsEvents({ order: 1 })).toMatch(
    new RegExp(
      '^\\[\\{"id":"[0-9a-f]{40}","timestamp":1697040000123456789,"action":"mkdir","username":"bob","fs_path":"",' +
        '"virtual_path":"","status":0,"protocol":"","session_id":"","fs_provider":0,"instance_id":"node1"\\},' +
        '\\{"id":"[0-9a-f]{40}","timestamp":1697040000123456790,"action":"rename","username":"bob","fs_path":"/srv/a",' +
        '"fs_target_path":"/srv/b","virtual_path":"/a","virtual_target_path":"/b","ssh_cmd":"mv",' +
        '"file_size":9007199254740993,"elapsed":12,"status":1,"protocol":"SSH","ip":"192.0.2.1","session_id":"s1",' +
        '"fs_provider":1,"bucket":"bucket","endpoint":"https://s3.example.com","open_flags":513,"role":"r",' +
        '"instance_id":"node1"\\}\\]$',
    ),
  );
  const objectData = new TextEncoder().encode('{"username":"eve"}');
  await providerEvent({
    timestamp,
    action: 'add',
    objectType: 'user',
    objectName: 'eve',
    username: 'admin',
    objectData,
  });
  const found = await search.searchProviderEvents();
  expect(found).toMatch(
    /^\[\{"id":"\w{40}","timestamp":1697040000123456789,"action":"add","username":"admin","object_type":"user","object_name":"eve","object_data":"eyJ1c2VybmFtZSI6ImV2ZSJ9","instance_id":"node1"\}\]$/,
  );
  expect(await search.searchProviderEvents({ omitObjectData: true })).toBe(
    found.replace(/"object_data":"[^"]*",/, ''),
  );
  await logEvent({
    timestamp,
    event: 2,
    username: 'x',
    protocol: 'SSH',
    ip: '192.0.2.1',
    message: 'no such user',
  });
  expect(await search.searchLogEvents()).toMatch(
    /^\[\{"id":"\w{40}","timestamp":1697040000123456789,"event":2,"protocol":"SSH","username":"x","ip":"192.0.2.1","message":"no such user","instance_id":"node1"\}\]$/,
  );
});

test('an event that is sent again, also at the same moment or with newer object_data, is stored once', async () => {
  const { search, notifier } = await eventStore();
  const { fsEvent, providerEvent } = notifier('a1b2');
  const event = { timestamp: noon, action: 'upload', username: 'bob' };
  await Promise.all(Array.from({ length: 10 }, () => fsEvent(event)));
  await fsEvent(event);
  expect(parseEvents(await search.searchFsEvents())).toHaveLength(1);
  const provider = { timestamp: noon, action: 'update', objectType: 'user', objectName: 'bob' };
  await providerEvent({ ...provider, objectData: new Uint8Array([1]) });
  await providerEvent({ ...provider, objectData: new Uint8Array([2]) });
  expect(parseEvents(await search.searchProviderEvents()).map((found) => found['object_data'])).toEqual([
    'AQ==',
  ]);
});

test('1,000 events, many of one instant, paged both ways without a gap or a double', async () => {
  const { search, send } = await eventStore();
  // three days; runs of seven events of the very same nanosecond
  const events = Array.from({ length: 1000 }, (_, index) => ({
    timestamp: noon + BigInt(Math.floor(index / 7)) * ((3n * dayNs) / 143n),
    action: 'download',
    username: `user${index % 3}`,
    fileSize: BigInt(index),
  }));
  await storeAll(send, events);
  for (const order of [0, 1]) {
    for (const exact of [true, false]) {
      const seen: Stored[] = [];
      let page: Stored[] = [];
      do {
        const last = page.at(-1);
        const bound = last ? (last['timestamp'] as bigint) : 0n;
        // WebAdmin hands timestamps back as JavaScript numbers
        const sent = exact ? bound : BigInt(Number(bound));
        page = parseEvents(
          await search.searchFsEvents({
            limit: 97,
            order,
            fromOrExcludeIds: last ? [String(last['id'])] : [],
            ...(order === 0 ? { endTimestamp: sent } : { startTimestamp: sent }),
          }),
        );
        seen.push(...page);
      } while (page.length === 97);
      expect(seen).toHaveLength(1000);
      const times = seen.map((event) => event['timestamp'] as bigint);
      expect(times).toEqual(times.toSorted((a, b) => (order === 0 ? Number(b - a) : Number(a - b))));
      expect(new Set(seen.map((event) => event['id'])).size).toBe(1000);
    }
  }
  // the page before, as WebAdmin asks: ascending from the first shown, turned round
  const all = parseEvents(await search.searchFsEvents({ limit: 1000 }));
  const first = all[100];
  const before = parseEvents(
    await search.searchFsEvents({
      limit: 10,
      order: 1,
      startTimestamp: BigInt(Number(first?.['timestamp'])),
      fromOrExcludeIds: [String(first?.['id'])],
    }),
  );
  expect(before.reverse()).toEqual(all.slice(90, 100));
});

test('hosts up to 2.5.0 page by the ids they have seen of the last instant', async () => {
  const { search, send } = await eventStore();
  await storeAll(
    send,
    Array.from({ length: 60 }, (_, index) => ({
      timestamp: noon + BigInt(Math.floor(index / 12)),
      action: 'upload',
    })),
  );
  const all = parseEvents(await search.searchFsEvents({ limit: 1000 }));
  const seen = all.slice(0, 20);
  while (seen.length < 60) {
    const bound = seen.at(-1)?.['timestamp'] as bigint;
    const ids = seen.filter((event) => event['timestamp'] === bound).map((event) => String(event['id']));
    const page = parseEvents(
      await search.searchFsEvents({ limit: 7, endTimestamp: bound, fromOrExcludeIds: ids }),
    );
    expect(page.length).toBeGreaterThan(0);
    seen.push(...page);
  }
  expect(seen).toEqual(all);
});

test('a role admin finds events of the role only, whatever else the filter says', async () => {
  const { search, notifier } = await eventStore();
  for (const [index, role] of ['', 'sales', 'ops', 'sales'].entries()) {
    const { fsEvent, providerEvent, logEvent } = notifier();
    const common = { timestamp: noon + BigInt(index), username: 'bob', ip: '192.0.2.1', role };
    await fsEvent({ ...common, action: 'upload' });
    await providerEvent({ ...common, action: 'add' });
    await logEvent({ ...common, event: 1 });
  }
  for (const find of [search.searchFsEvents, search.searchProviderEvents, search.searchLogEvents]) {
    for (const filter of [{}, { username: 'bob' }, { ip: '192.0.2.1' }, { instanceIds: ['node1'] }]) {
      const found = parseEvents(await find({ ...filter, role: 'sales' }));
      expect(found.map((event) => event['role'])).toEqual(['sales', 'sales']);
    }
    expect(parseEvents(await find({ role: 'nobody' }))).toEqual([]);
    expect(parseEvents(await find({}))).toHaveLength(4);
  }
});

test('any search finds what looking at every event finds', async () => {
  const { search, send } = await eventStore();
  const [users, ips, roles] = [
    ['', 'bob', 'eve'],
    ['', '192.0.2.1', '2001:db8::1'],
    ['', 'sales'],
  ];
  const pick = <T>(list: readonly T[], index: number) => list[index % list.length] as T;
  const times = Array.from({ length: 25 }, (_, index) => noon + (BigInt(index) * dayNs) / 7n);
  let calls = 0;
  for (let start = 0; start < 200; start += 25) {
    await Promise.all(
      Array.from({ length: 25 }, (_, offset) => {
        const index = start + offset;
        const instance = `node${(index * 11) % 3}`;
        return send(
          {
            timestamp: pick(times, index * 17),
            action: pick(['upload', 'download', 'delete'], index),
            username: pick(users, index * 5 + (index >> 3)),
            ip: pick(ips, index * 7 + (index >> 2)),
            role: pick(roles, index >> 1),
            sshCmd: pick(['', 'md5sum'], index >> 4),
            protocol: pick(['SFTP', 'FTP'], index * 3),
            status: index % 4,
            fsProvider: index % 3,
            bucket: pick(['', 'b1'], index >> 2),
            endpoint: pick(['', 'e1'], index >> 3),
          },
          { id: `call ${index}`, instance },
        );
      }),
    );
  }
  const all = parseEvents(await search.searchFsEvents({ limit: 1000 }));
  expect(all).toHaveLength(200);
  const some = <T>(list: readonly T[]) => fc.subarray([...list]);
  const mostly = <T>(usual: T, other: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 2, arbitrary: fc.constant(usual) }, other);
  const bound = mostly(0n, fc.constantFrom(...times, ...times.map((at) => at + 1000n)));
  const filters: fc.Arbitrary<FsEventsFilter> = fc
    .record({
      startTimestamp: bound,
      endTimestamp: bound,
      actions: mostly<string[]>([], some(['upload', 'delete', 'copy'])),
      username: mostly('', fc.constantFrom('bob', 'eve', 'nobody')),
      ip: mostly('', fc.constantFrom(...ips)),
      sshCmd: mostly('', fc.constant('md5sum')),
      protocols: mostly<string[]>([], some(['SFTP', 'DAV'])),
      statuses: mostly<number[]>([], some([0, 1, 3])),
      instanceIds: mostly<string[]>([], some(['node0', 'node2', 'node9'])),
      limit: fc.constantFrom(1, 2, 10, 100, 1000),
      fsProvider: mostly(-1, fc.constantFrom(0, 1, 6)),
      bucket: mostly('', fc.constant('b1')),
      endpoint: mostly('', fc.constant('e1')),
      order: fc.constantFrom(0, 1),
      role: mostly('', fc.constant('sales')),
      picked: mostly<Stored[]>([], fc.subarray(all, { minLength: 1, maxLength: 6 })),
      asHostsDo: fc.boolean(),
    })
    .map(({ picked, asHostsDo, ...filter }) => {
      const fromOrExcludeIds = picked.map((event) => String(event['id']));
      const at = picked[0]?.['timestamp'] as bigint | undefined;
      if (at === undefined || !asHostsDo) return { ...filter, fromOrExcludeIds };
      return filter.order === 0
        ? { ...filter, fromOrExcludeIds, endTimestamp: at }
        : { ...filter, fromOrExcludeIds, startTimestamp: at };
    });
  await fc.assert(
    fc.asyncProperty(filters, async (filter) => {
      calls += 1;
      expect(parseEvents(await search.searchFsEvents(filter))).toEqual(naiveSearch(all, filter));
    }),
    { numRuns: 300 },
  );
  expect(calls).toBeGreaterThanOrEqual(300);
});

test('a name too long for a key of DynamoDB is found all the same', async () => {
  const { search, notifier } = await eventStore();
  const [username, other] = ['x'.repeat(3000), `${'x'.repeat(2999)}y`];
  await notifier().logEvent({ timestamp: noon, event: 2, username });
  await notifier().logEvent({ timestamp: noon, event: 2, username: other });
  const found = parseEvents(await search.searchLogEvents({ username }));
  expect(found.map((event) => event['username'])).toEqual([username]);
});

test('object_data beyond an item of DynamoDB is left out, the event is stored; another event of that size is refused', async () => {
  const { search, notifier } = await eventStore();
  const { providerEvent, logEvent } = notifier();
  const large = { timestamp: noon, action: 'add', objectData: new Uint8Array(500_000) };
  await providerEvent({ ...large, objectName: 'large' });
  await providerEvent({ ...large, timestamp: noon + 1n, objectData: new Uint8Array(300_000) });
  const found = parseEvents(await search.searchProviderEvents({ order: 1 }));
  expect(found.map((event) => String(event['object_data'] ?? '').length)).toEqual([0, 400_000]);
  await expect(logEvent({ timestamp: noon, message: 'm'.repeat(500_000) })).rejects.toMatchObject({
    code: 'invalid_argument',
  });
});

test('a search whose events do not fit an answer says so, a smaller one finds them', async () => {
  const { search, notifier } = await eventStore();
  for (let index = 0n; index < 12n; index += 1n) {
    await notifier().providerEvent({ timestamp: noon + index, objectData: new Uint8Array(300_000) });
  }
  await expect(search.searchProviderEvents()).rejects.toMatchObject({ code: 'resource_exhausted' });
  expect(parseEvents(await search.searchProviderEvents({ limit: 5 }))).toHaveLength(5);
  expect(parseEvents(await search.searchProviderEvents({ omitObjectData: true }))).toHaveLength(12);
});

test('what has expired is not found, before DynamoDB gets to removing it', async () => {
  const { search, send } = await eventStore({ retentionDays: 2 });
  const now = BigInt(Date.now()) * 1_000_000n;
  await send({ timestamp: now - 3n * dayNs, action: 'old' });
  await send({ timestamp: now - dayNs, action: 'new' });
  expect(parseEvents(await search.searchFsEvents()).map((event) => event['action'])).toEqual(['new']);
});

test('an event without a time and an id that is none are refused', async () => {
  const { search, send } = await eventStore();
  await expect(send({ timestamp: 0n })).rejects.toMatchObject({ code: 'invalid_argument' });
  await expect(send({ timestamp: -1n })).rejects.toMatchObject({ code: 'invalid_argument' });
  await expect(search.searchFsEvents({ fromOrExcludeIds: ['cn0q'] })).rejects.toMatchObject({
    code: 'invalid_argument',
  });
  const ids = Array.from({ length: 101 }, (_, index) => `node${index}`);
  await expect(search.searchFsEvents({ instanceIds: ids })).rejects.toMatchObject({
    code: 'invalid_argument',
  });
  expect(
    await search.searchFsEvents({ instanceIds: ids.slice(1), statuses: Array.from(ids.slice(1).keys()) }),
  ).toBe('[]');
});

test('without its table a function refuses, and an event is not acknowledged', async () => {
  const store = storeEvents({ client: dynamo.client });
  await expect(
    call(store, { env: { EVENTS_TABLE: 'no-such-table' } }).fsEvent({ timestamp: noon }),
  ).rejects.toMatchObject({ code: 'failed_precondition' });
  const gone = storeEvents({ client: { ...dynamo.client, endpoint: 'http://127.0.0.1:1' } });
  await expect(call(gone).fsEvent({ timestamp: noon })).rejects.toMatchObject({ code: 'unavailable' });
  await expect(call(store, { timeoutMs: 0 }).fsEvent({ timestamp: noon })).rejects.toMatchObject({
    code: 'deadline_exceeded',
  });
});
