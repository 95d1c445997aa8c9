import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { bansTable, dynamoBans } from '../../functions/ipfilter/bans/dynamo.ts';
import type { Ban, Bans } from '../../functions/ipfilter/bans/index.ts';
import { createLog } from '../../functions/kit/log.ts';
import { parseAddress } from '../../proto/net/address.ts';
import { type Dynamo, startDynamo } from '../support/dynamo.ts';

const t0 = 1_800_000_000_000;
const minute = 60_000;
const limit = { attempts: 3, perMs: minute, forMs: 15 * minute };
let dynamo: Dynamo;
let bans: Bans;
let tables = 0;

beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.close());
beforeEach(async () => {
  const table = `bans-${++tables}`;
  await dynamo.create({ ...bansTable, TableName: table });
  bans = dynamoBans({ client: dynamo.client, table }).open({}, createLog({}));
});

const ban = (network: string, untilMs = t0 + minute): Ban => ({ network, untilMs, reason: 'r', by: 'k' });

function find(ip: string, nowMs = t0): Promise<Ban | undefined> {
  const address = parseAddress(ip);
  if (address === undefined) throw new Error(ip);
  return bans.find(address, nowMs);
}

test('a ban holds for its network, until its end', async () => {
  await bans.add(ban('203.0.113.0/24'), 'a', t0);
  await bans.add(ban('2001:db8:7::/48'), 'b', t0);
  for (const ip of ['203.0.113.255', '2001:db8:7:ffff::1']) {
    expect(await find(ip, t0 + minute - 1)).toMatchObject({ reason: 'r', by: 'k' });
    expect(await find(ip, t0 + minute)).toBeUndefined();
  }
  for (const ip of ['203.0.114.0', '2001:db8:8::']) expect(await find(ip)).toBeUndefined();
});

test('the ban that ends later holds; one call is one ban; a removed one does not come back by its call', async () => {
  const long = ban('203.0.113.7/32', t0 + 2 * minute);
  expect(await bans.add(long, 'a', t0)).toEqual(long);
  expect(await bans.add(ban('203.0.113.7/32'), 'b', t0)).toEqual(long);
  expect(await bans.add(ban('203.0.113.7/32', t0 + 3 * minute), 'a', t0)).toEqual(long);
  expect(await bans.remove('203.0.113.7/32', 'c', t0)).toBe(true);
  expect(await bans.remove('203.0.113.7/32', 'd', t0)).toBe(false);
  await bans.add(ban('203.0.113.7/32'), 'a', t0);
  expect(await find('203.0.113.7')).toBeUndefined();
  await bans.add(ban('203.0.113.7/32'), 'e', t0);
  expect(await find('203.0.113.7')).toBeDefined();
});

test('pages have every ban in force once', async () => {
  const networks = Array.from({ length: 25 }, (_, n) => `203.0.113.${n}/32`);
  await Promise.all(networks.map((network) => bans.add(ban(network), network, t0)));
  await bans.add(ban('198.51.100.1/32', t0), 'ended', t0 - minute);
  const seen: string[] = [];
  let cursor = '';
  do {
    const page = await bans.page(cursor, 10, t0);
    seen.push(...page.bans.map(({ network }) => network));
    cursor = page.cursor;
  } while (cursor !== '');
  expect(seen.sort()).toEqual(networks.sort());
});

test('offences of one window, each call once, are a ban', async () => {
  const offend = (id: string, nowMs = t0) => bans.count('203.0.113.7/32', 'password', limit, id, nowMs);
  expect(await offend('1')).toEqual({ count: 1 });
  expect(await offend('1')).toEqual({ count: 1 });
  expect(await offend('2', t0 + minute)).toEqual({ count: 1 });
  expect(await offend('3', t0 + minute)).toEqual({ count: 2 });
  expect(await offend('4', t0 + minute)).toMatchObject({ count: 0, ban: { by: 'rate' } });
  expect(await find('203.0.113.7', t0 + minute)).toMatchObject({ reason: '3 in 60 s: password' });
});

test('60 offences at once of 20 networks are 20 bans', async () => {
  const counted = await Promise.all(
    Array.from({ length: 60 }, (_, n) => bans.count(`203.0.113.${n % 20}/32`, 'x', limit, String(n), t0)),
  );
  expect(new Set(counted.flatMap((one) => (one.ban === undefined ? [] : [one.ban.network]))).size).toBe(20);
});

test('a table that cannot be used is not "no ban"', async () => {
  const error = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  bans = dynamoBans({ client: dynamo.client, table: 'nothing' }).open({}, createLog({}));
  await expect(find('203.0.113.7')).rejects.toMatchObject({ code: 'failed_precondition' });
  error.mockRestore();
});
