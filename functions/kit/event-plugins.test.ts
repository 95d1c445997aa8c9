import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { pluginHeaders } from '../../proto/facts.ts';
import { createCaller, toAnswer, toRequest } from './fixtures/caller.ts';
import {
  type EventContext,
  eventsearcher,
  type FoundFsEvent,
  FunctionError,
  type Metadata,
  metadata,
  type NotifierPlugin,
  notifier,
} from './index.ts';
import type { Plugin } from './plugin.ts';
import { call } from './test.ts';

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const caller = createCaller();

/** Sends one signed call and gives status and body of the signed answer. */
async function send(
  plugin: Plugin<typeof caller.env>,
  rpc: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
) {
  const request = await caller.sign({ rpc, body, headers });
  const answer = await toAnswer(await plugin.fetch(toRequest(request), caller.env));
  await caller.verify(request, answer);
  return { status: answer.status, json: answer.json };
}

test('a notifier handles the events that it has a handler for', async () => {
  expect(notifier({ fsEvent: () => undefined }).handles).toEqual(['SendFsEvent']);
  expect(notifier({ providerEvent: () => undefined, logEvent: () => undefined }).handles).toEqual([
    'SendLogEvent',
    'SendProviderEvent',
  ]);
  expect(await send(notifier({}), 'proto.Notifier/SendFsEvent', {})).toMatchObject({ status: 501 });
});

test('a handler sees the whole event, its id and the signed instance', async () => {
  const seen: [unknown, EventContext][] = [];
  const plugin = notifier<typeof caller.env>({
    fsEvent: (event, context) => void seen.push([event, context]),
  });
  const id = 'ab'.repeat(32);
  const answer = await send(
    plugin,
    'proto.Notifier/SendFsEvent',
    { timestamp: '1697040000123456789', fileSize: '9007199254740993', metadata: { a: 'b' } },
    { [pluginHeaders.callId]: id, [pluginHeaders.instance]: 'node 1' },
  );
  expect(answer).toEqual({ status: 200, json: {} });
  expect(seen[0]?.[0]).toMatchObject({
    timestamp: 1_697_040_000_123_456_789n,
    fileSize: 9_007_199_254_740_993n,
    metadata: { a: 'b' },
    role: '',
  });
  expect(seen[0]?.[1]).toMatchObject({ id, instance: 'node 1' });
});

test('an instance that is not signed does not get through', async () => {
  const fsEvent = vi.fn();
  const request = await caller.sign({ rpc: 'proto.Notifier/SendFsEvent' });
  const forged = { ...request, headers: [...request.headers, [pluginHeaders.instance, 'forged'] as const] };
  const response = await notifier<typeof caller.env>({ fsEvent }).fetch(toRequest(forged), caller.env);
  expect(response.status).toBe(401);
  expect(fsEvent).not.toHaveBeenCalled();
});

test('an event is answered for only after its handler has succeeded', async () => {
  let stored = false;
  const slow: NotifierPlugin<typeof caller.env> = notifier({
    async logEvent() {
      await new Promise((resolve) => setTimeout(resolve, 5));
      stored = true;
    },
  });
  expect((await send(slow, 'proto.Notifier/SendLogEvent', {})).status).toBe(200);
  expect(stored).toBe(true);
  const broken: NotifierPlugin<typeof caller.env> = notifier({
    logEvent: async () => await Promise.reject(new Error('disk full')),
  });
  expect(await send(broken, 'proto.Notifier/SendLogEvent', {})).toMatchObject({
    status: 500,
    json: { code: 'internal' },
  });
});

test('methods of a class keep their this', async () => {
  class Counter {
    count = 0;
    fsEvent() {
      this.count += 1;
    }
    searchFsEvents() {
      return this.count === 0 ? [] : [event];
    }
  }
  const counter = new Counter();
  await call(notifier(counter)).fsEvent({});
  expect(JSON.parse(await call(eventsearcher(counter)).searchFsEvents())).toHaveLength(1);
});

const times: Metadata<typeof caller.env> = {
  setModificationTime: () => undefined,
  getModificationTime: ({ path }) => (path === '/known' ? 9_007_199_254_740_993n : undefined),
  getModificationTimes: ({ folder }) => (folder === '/' ? { known: 1n } : {}),
  removeMetadata: () => undefined,
  getFolders: ({ limit, from }) => [`${from}/${limit}`],
};

test('metadata: a time is exact; none is a signed not_found; an unknown folder is empty', async () => {
  const plugin = metadata(times);
  const get = (objectPath: string) => send(plugin, 'proto.Metadata/GetModificationTime', { objectPath });
  expect(await get('/known')).toEqual({ status: 200, json: { modificationTime: '9007199254740993' } });
  expect(await get('/unknown')).toMatchObject({ status: 404, json: { code: 'not_found' } });
  const list = (folderPath: string) => send(plugin, 'proto.Metadata/GetModificationTimes', { folderPath });
  expect(await list('/')).toEqual({ status: 200, json: { pairs: { known: '1' } } });
  expect(await list('/nowhere')).toEqual({ status: 200, json: {} });
});

test('metadata: handlers get their own names for what crosses the wire, and a limit of 0 is none', async () => {
  const setModificationTime = vi.fn();
  const tested = call(metadata({ ...times, setModificationTime }));
  await tested.setModificationTime({ storageId: 's3://b', path: '/a', modificationTimeMs: 5n });
  expect(setModificationTime.mock.calls[0]?.[0]).toEqual({
    storageId: 's3://b',
    path: '/a',
    modificationTimeMs: 5n,
  });
  expect(await tested.getFolders({ storageId: 's3://b', limit: 0, from: '/x' })).toEqual(['/x/undefined']);
  expect(await tested.getFolders({ storageId: 's3://b', limit: 7 })).toEqual(['/7']);
  expect(await tested.getModificationTime({ storageId: 's3://b', path: '/unknown' })).toBeUndefined();
});

const event: FoundFsEvent = {
  id: 'a',
  timestamp: 1n,
  action: 'upload',
  username: '',
  fsPath: '',
  virtualPath: '',
  status: 0,
  protocol: '',
  sessionId: '',
  fsProvider: 0,
};

const searching = (found: readonly object[]) =>
  call(eventsearcher({ searchFsEvents: () => found as readonly FoundFsEvent[] }));

test('eventsearcher: what must be there is there, what may be empty is left out', async () => {
  const always =
    '"id":"a","timestamp":1,"action":"upload","username":"","fs_path":"","virtual_path":"","status":0,"protocol":"","session_id":"","fs_provider":0';
  expect(await searching([event]).searchFsEvents()).toBe(`[{${always}}]`);
  const empty = { ...event, fsTargetPath: '', fileSize: 0n, openFlags: 0, ip: undefined, instanceId: '' };
  expect(await searching([empty]).searchFsEvents()).toBe(`[{${always}}]`);
  expect(await searching([]).searchFsEvents()).toBe('[]');
});

test('eventsearcher: texts are escaped as JSON has it, numbers keep every digit', async () => {
  const odd = { ...event, username: '"\\\u0000\u2028é\u{1f600}', timestamp: -9_223_372_036_854_775_808n };
  const text = await searching([odd]).searchFsEvents();
  expect(text).toContain('"timestamp":-9223372036854775808,');
  expect(JSON.parse(text)).toMatchObject([{ username: odd.username }]);
});

test.each([
  ['a missing field', { ...event, sessionId: undefined }, 'event 0: sessionId is missing'],
  ['a number that is text', { ...event, timestamp: '1' }, 'event 0: timestamp is not an integer of 64 bits'],
  ['a fraction', { ...event, status: 1.5 }, 'event 0: status is not an integer of 64 bits'],
  ['an unsafe number', { ...event, fileSize: 2 ** 53 }, 'event 0: fileSize is not an integer of 64 bits'],
  [
    'more than 64 bits',
    { ...event, timestamp: 2n ** 63n },
    'event 0: timestamp is not an integer of 64 bits',
  ],
  ['a lone surrogate', { ...event, fsPath: '\ud800' }, 'event 0: fsPath is not well-formed text'],
  ['null for nothing', { ...event, ip: null }, 'event 0: ip is not well-formed text'],
])('eventsearcher: %s is the error of the author', async (_, found, message) => {
  await expect(searching([found]).searchFsEvents()).rejects.toThrow(message);
});

test('eventsearcher: limits hold in both directions', async () => {
  for (const limit of [0, -1, 1001]) {
    await expect(searching([]).searchFsEvents({ limit })).rejects.toMatchObject({ code: 'invalid_argument' });
  }
  await expect(searching([event, event]).searchFsEvents({ limit: 1 })).rejects.toThrow(
    '2 events where 1 were asked for',
  );
  const large = { ...event, virtualPath: 'x'.repeat(340_000) };
  await expect(searching(Array(10).fill(large)).searchFsEvents()).rejects.toThrow(FunctionError);
  expect((await searching(Array(9).fill(large)).searchFsEvents()).length).toBeGreaterThan(3_000_000);
});

test('eventsearcher: a filter as SFTPGo sends it becomes a search', async () => {
  const searchFsEvents = vi.fn(() => []);
  const { searchFsEvents: find } = call(eventsearcher({ searchFsEvents }));
  const searched = async (filter: Parameters<typeof find>[0]) => {
    await find(filter);
    return searchFsEvents.mock.lastCall?.at(0) as unknown;
  };
  expect(await searched({ startTimestamp: 5n, fsProvider: 0, order: 1 })).toMatchObject({
    startTimestamp: 5n,
    endTimestamp: undefined,
    fsProvider: 0,
    order: 'asc',
    fromId: undefined,
    excludeIds: [],
  });
  expect(await searched({ fromOrExcludeIds: ['x'] })).toMatchObject({
    fsProvider: undefined,
    order: 'desc',
    fromId: 'x',
    excludeIds: [],
  });
  expect(await searched({ fromOrExcludeIds: ['x', 'y'] })).toMatchObject({
    fromId: undefined,
    excludeIds: ['x', 'y'],
  });
  expect(await searched({ fromOrExcludeIds: [''] })).toMatchObject({ fromId: undefined, excludeIds: [] });
});

test('eventsearcher: object_data is base64, and left out where it is not wanted', async () => {
  const found = {
    id: 'a',
    timestamp: 1n,
    username: 'admin',
    action: 'add',
    objectType: 'user',
    objectName: 'bob',
    objectData: new Uint8Array([251, 255]),
  };
  const plugin = call(eventsearcher({ searchProviderEvents: () => [found] }));
  expect(await plugin.searchProviderEvents()).toContain('"object_data":"+/8="');
  expect(await plugin.searchProviderEvents({ omitObjectData: true })).not.toContain('object_data');
});
