import { afterEach, expect, test, vi } from 'vitest';
import { parseAddress } from '../../../proto/net/address.ts';
import { everyStore, kvNamespace, objectState, opened } from './fixtures/stores.ts';
import { kvBans } from './kv.ts';
import { BanList } from './object.ts';
import { objectBans } from './object-store.ts';
import type { Ban, Bans } from './store.ts';

afterEach(() => vi.restoreAllMocks());

const t0 = 1_800_000_000_000;
const minute = 60_000;
const limit = { attempts: 3, perMs: minute, forMs: 15 * minute };
const kinds = ['memory', 'object', 'kv'] as const;

function ban(network: string, untilMs = t0 + minute, by = 'k'): Ban {
  return { network, untilMs, reason: 'r', by };
}

function find(bans: Bans, ip: string, nowMs = t0): Promise<Ban | undefined> {
  const address = parseAddress(ip);
  if (address === undefined) throw new Error(ip);
  return bans.find(address, nowMs);
}

test.each(kinds)('%s: a ban holds for its network, until its end', async (kind) => {
  const bans = opened(everyStore()[kind]);
  await bans.add(ban('203.0.113.0/24'), 'a', t0);
  await bans.add(ban('2001:db8:7::/48'), 'b', t0);
  for (const ip of ['203.0.113.0', '203.0.113.255', '2001:db8:7:ffff::1']) {
    expect(await find(bans, ip, t0 + minute - 1)).toMatchObject({ reason: 'r', by: 'k' });
    expect(await find(bans, ip, t0 + minute)).toBeUndefined();
  }
  for (const ip of ['203.0.112.255', '203.0.114.0', '2001:db8:8::', '2001:db8:6:ffff::1']) {
    expect(await find(bans, ip)).toBeUndefined();
  }
});

test.each(kinds)(
  '%s: where an address is in an ended ban and in one in force, it is banned',
  async (kind) => {
    const bans = opened(everyStore()[kind]);
    await bans.add(ban('203.0.113.7/32', t0 + 1000), 'a', t0);
    await bans.add(ban('203.0.0.0/16'), 'b', t0);
    expect((await find(bans, '203.0.113.7', t0 + 2000))?.network).toBe('203.0.0.0/16');
  },
);

test.each(kinds)('%s: of two bans of one network, the one that ends later holds', async (kind) => {
  const bans = opened(everyStore()[kind]);
  const long = ban('203.0.113.7/32', t0 + 2 * minute);
  expect(await bans.add(long, 'a', t0)).toEqual(long);
  expect(await bans.add(ban('203.0.113.7/32', t0 + minute, 'other'), 'b', t0)).toEqual(long);
  const longer = ban('203.0.113.7/32', t0 + 3 * minute, 'other');
  expect(await bans.add(longer, 'c', t0)).toEqual(longer);
});

test.each(kinds)(
  '%s: a removed ban is gone, and the call that made it does not make it again',
  async (kind) => {
    const bans = opened(everyStore()[kind]);
    await bans.add(ban('203.0.113.7/32'), 'a', t0);
    expect(await bans.remove('203.0.113.7/32', 'b', t0)).toBe(true);
    await bans.add(ban('203.0.113.7/32'), 'a', t0);
    expect(await find(bans, '203.0.113.7')).toBeUndefined();
    expect(await bans.remove('203.0.113.7/32', 'c', t0)).toBe(false);
    await bans.add(ban('203.0.113.7/32'), 'd', t0);
    expect(await find(bans, '203.0.113.7')).toBeDefined();
  },
);

test.each(kinds)('%s: one call more than once is one ban, to its first end', async (kind) => {
  const bans = opened(everyStore()[kind]);
  const first = await bans.add(ban('203.0.113.7/32'), 'a', t0);
  expect(await bans.add(ban('203.0.113.7/32', t0 + 2 * minute), 'a', t0)).toEqual(first);
});

test.each(kinds)('%s: pages have every ban in force once', async (kind) => {
  const bans = opened(everyStore()[kind]);
  const networks = Array.from({ length: 25 }, (_, n) => `203.0.113.${n}/32`);
  await Promise.all(networks.map((network) => bans.add(ban(network), network, t0)));
  await bans.add(ban('198.51.100.1/32', t0), 'ended', t0 - minute);
  const seen: string[] = [];
  let cursor = '';
  do {
    const page = await bans.page(cursor, 10, t0);
    expect(page.bans.length).toBeLessThanOrEqual(10);
    seen.push(...page.bans.map(({ network }) => network));
    cursor = page.cursor;
  } while (cursor !== '');
  expect(seen.sort()).toEqual(networks.sort());
});

test.each(kinds)(
  '%s: enough offences within the window are a ban, and then counting begins anew',
  async (kind) => {
    const bans = opened(everyStore()[kind]);
    const offend = (id: string, nowMs: number) => bans.count('203.0.113.7/32', 'password', limit, id, nowMs);
    expect(await offend('1', t0)).toEqual({ count: 1 });
    expect(await offend('2', t0 + 1000)).toEqual({ count: 2 });
    // the first has left the window
    expect(await offend('3', t0 + minute)).toEqual({ count: 2 });
    expect(await find(bans, '203.0.113.7', t0 + minute)).toBeUndefined();
    expect(await offend('4', t0 + minute + 1)).toEqual({
      count: 0,
      ban: {
        network: '203.0.113.7/32',
        untilMs: t0 + 16 * minute + 1,
        reason: '3 in 60 s: password',
        by: 'rate',
      },
    });
    expect(await find(bans, '203.0.113.7', t0 + minute + 1)).toMatchObject({ by: 'rate' });
    expect(await offend('5', t0 + minute + 2)).toEqual({ count: 1 });
  },
);

test('object: an offence reported twice by one call counts once', async () => {
  const bans = opened(everyStore().object);
  for (let n = 0; n < 5; n++) {
    expect(await bans.count('203.0.113.7/32', 'x', limit, 'same', t0)).toEqual({ count: 1 });
  }
});

test('object: 300 offences at once of 100 networks are 100 bans', async () => {
  const bans = opened(everyStore().object);
  const counted = await Promise.all(
    Array.from({ length: 300 }, (_, n) => bans.count(`203.0.113.${n % 100}/32`, 'x', limit, String(n), t0)),
  );
  expect(counted.filter((one) => one.ban !== undefined)).toHaveLength(100);
});

function ask(list: BanList, call: string, ...args: unknown[]): Promise<Response> {
  return list.fetch(
    new Request('https://bans.invalid/', { method: 'POST', body: JSON.stringify({ call, args }) }),
  );
}

test('object: what has ended is removed by an alarm, at most one a minute', async () => {
  const now = vi.spyOn(Date, 'now').mockReturnValue(t0);
  const state = objectState();
  const list = new BanList(state);
  await ask(list, 'add', ban('203.0.113.7/32', t0 + 1000), 'a', t0);
  await ask(list, 'add', ban('203.0.113.8/32', t0 + 10 * minute), 'b', t0);
  await ask(list, 'count', '203.0.113.9/32', 'x', limit, 'c', t0);
  expect(state.alarmMs).toBe(t0 + minute);
  now.mockReturnValue(t0 + minute);
  state.alarmMs = null;
  await list.alarm();
  expect([state.rows('bans'), state.rows('calls'), state.alarmMs]).toEqual([1, 3, t0 + 2 * minute]);
  now.mockReturnValue(t0 + 61 * minute);
  state.alarmMs = null;
  await list.alarm();
  expect([state.rows('bans'), state.rows('offences'), state.rows('calls')]).toEqual([0, 0, 0]);
  expect(state.alarmMs).toBeNull();
});

test('object: no table grows without end, and what ends first goes first', async () => {
  const state = objectState();
  const list = new BanList(state);
  const { exec } = state.storage.sql;
  exec('BEGIN');
  for (let n = 0; n < 10_400; n++) {
    exec('INSERT INTO bans VALUES (?, ?, ?, ?)', `10.0.${n >> 8}.${n & 255}/32`, t0 + n, '', '');
    exec('INSERT INTO offences VALUES (?, ?, ?)', `10.0.${n >> 8}.${n & 255}/32`, t0 + n, '[]');
    exec('INSERT INTO calls VALUES (?, ?)', `old ${n}`, t0 + n);
  }
  exec('COMMIT');
  await ask(list, 'add', ban('192.0.2.1/32', t0 + 20_000), 'new', t0 + 20_000);
  expect(['bans', 'offences', 'calls'].map(state.rows)).toEqual([10_000, 10_000, 10_000]);
  expect(exec('SELECT min(until) AS at FROM bans').toArray()).toEqual([{ at: t0 + 401 }]);
});

test('object: a list is still there after the object was restarted', async () => {
  const state = objectState();
  await ask(new BanList(state), 'add', ban('203.0.113.7/32'), 'a', t0);
  const again = await ask(new BanList(state), 'find', ['203.0.113.7/32'], t0);
  expect(await again.json()).toEqual({ result: ban('203.0.113.7/32') });
});

test('kv: a key lives as long as its ban, and at least as long as its call may be sent again', async () => {
  const namespace = kvNamespace();
  const bans = opened(kvBans(() => namespace));
  await bans.add(ban('203.0.113.7/32', t0 + 1500), 'a', t0);
  await bans.add(ban('203.0.113.8/32', t0 + 90_500), 'b', t0);
  await bans.remove('203.0.113.8/32', 'c', t0);
  await bans.add(ban('203.0.113.9/32', t0 + 90_500), 'd', t0);
  expect([...namespace.entries.values()].map(({ ttlS }) => ttlS)).toEqual([120, 120, 120]);
});

test.each<[string, Bans]>([
  [
    'an object that fails',
    opened(objectBans(() => ({ getByName: () => ({ fetch: () => Promise.reject('x') }) }))),
  ],
  [
    'an object that answers something else',
    opened(objectBans(() => ({ getByName: () => ({ fetch: async () => Response.json({}) }) }))),
  ],
  ['no binding of an object', opened(objectBans(() => undefined))],
  ['no binding of KV', opened(kvBans(() => undefined))],
  ['KV that fails', opened(kvBans(() => ({ ...kvNamespace(), get: () => Promise.reject(new Error('x')) })))],
  ['something else in KV', opened(kvBans(() => ({ ...kvNamespace(), get: async () => ({ until: 1 }) })))],
])('%s: unavailable, not "no ban"', async (_, bans) => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
  await expect(find(bans, '203.0.113.7')).rejects.toMatchObject({ code: 'unavailable' });
});
