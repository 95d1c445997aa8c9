import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Reader, type Response as Record } from 'mmdb-lib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCaller } from '../../functions/kit/fixtures/caller.ts';
import { type BuiltFunction, buildFunction } from '../../infra/build/function.ts';
import { type EdgeStore, startEdgeStore } from '../support/edge-store.ts';
import { startWorkerd, type Workerd } from './workerd.ts';

const database = createRequire(import.meta.url).resolve(
  '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb',
);
const countries = new Reader<Record & { country_code: string }>(readFileSync(database));
const caller = createCaller();
let folder: string;
let built: BuiltFunction;
let bundled: BuiltFunction;
let store: EdgeStore;
let workerd: Workerd;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ipfilter-edge-'));
  store = await startEdgeStore();
  store.put('country.mmdb', readFileSync(database), { etag: 'june' });
  store.put('abuse.txt', '203.0.113.0/24\n8.8.8.8\n', { etag: 'one' });
  const config = (
    country: string,
  ) => `import { ipfilterRules } from 'sftpgo-plugin-serverless/functions/ipfilter';
    ${country === 'db' ? `import db from ${JSON.stringify(database.replace('country.mmdb', 'country-ipv4.mmdb'))};` : ''}
    export default ipfilterRules({
      default: 'deny', private: 'deny', unknown: 'deny',
      lists: { abuse: { kv: 'LISTS', key: 'abuse.txt', every: '1s' } },
      databases: { country: ${country === 'db' ? '{ bytes: db }' : "{ kv: 'LISTS', key: 'country.mmdb' }"} },
      rules: [
        { action: 'deny', lists: ['abuse'], reason: 'abuse' },
        { action: 'allow', countries: ['DE', 'US'], reason: 'customers' },
        { action: 'deny', networks: ['203.0.113.0/24'] },
        { action: 'deny', networks: ['203.0.113.7'] },
      ],
    });`;
  await writeFile(join(folder, 'kv.ts'), config('kv'));
  await writeFile(join(folder, 'bundle.ts'), config('db'));
  const build = (name: string) =>
    buildFunction({ entry: join(folder, `${name}.ts`), name, outDir: folder, targets: ['worker'] });
  built = await build('kv');
  bundled = await build('bundle');
  workerd = await start('kv');
});
afterAll(async () => {
  await workerd.close();
  await store.close();
  await rm(folder, { recursive: true });
});

function start(name: string): Promise<Workerd> {
  const { PLUGIN_KEY, ...env } = caller.env;
  const module = join(folder, `${name}.worker.mjs`);
  return startWorkerd({ module, env, secrets: { PLUGIN_KEY }, kv: { LISTS: store.port } });
}

async function ask(ip: string, rpc = 'CheckIP', origin = workerd.url) {
  const request = await caller.sign({ origin, rpc, body: rpc === 'CheckIP' ? { ip, protocol: 'SSH' } : {} });
  const answer = await fetch(request.url, {
    method: 'POST',
    headers: request.headers.map(([name, value]) => [name, value]),
    body: new Uint8Array(request.body),
  });
  const message = {
    status: answer.status,
    headers: [...answer.headers],
    body: new Uint8Array(await answer.arrayBuffer()),
  };
  const { plugin } = await caller.verify(request, message);
  return {
    status: answer.status,
    reason: plugin.get('plugin-reason') ?? '',
    scope: plugin.get('plugin-scope') ?? '',
    text: new TextDecoder().decode(message.body),
  };
}

test('the build names the rule that can never match', () => {
  const warnings = ['rules[3] can never match: earlier rules decide for all of its addresses'];
  expect(built.warnings).toEqual(warnings);
  expect(bundled.warnings).toEqual(warnings);
});

test('the code of rules and databases is small', () => {
  expect(built.artifacts[0]?.gzipBytes).toBeLessThan(60_000);
});

test.each([
  ['8.8.8.8', 403, 'rules[0] "abuse": list abuse', '8.8.8.8/32'],
  ['8.8.8.9', 200, 'rules[1] "customers": country US', '8.8.8.9/32'],
  ['8.8.4.4', 200, 'rules[1] "customers": country US', '8.8.0.0/21'],
  ['10.0.0.1', 403, 'a private address, and private is deny', '10.0.0.0/16'],
  ['::ffff:8.8.4.4', 200, 'rules[1] "customers": country US', '8.8.0.0/21'],
])('with the list and a real country database in KV, %s gets %i: %s', async (ip, status, reason, scope) => {
  expect(await ask(ip)).toMatchObject({ status, reason, scope });
});

test('a hundred addresses get the verdict of their country', async () => {
  const addresses = Array.from(
    { length: 100 },
    (_, at) => `${1 + (((at + 1) * 37) % 220)}.${((at + 1) * 59) % 256}.${((at + 1) * 83) % 256}.7`,
  );
  // none of them is private or on the list: the country alone decides
  const decidedBefore = /^(?:0|10|100|127|169\.254|172|192\.168|203\.0\.113)\./;
  expect(addresses.filter((ip) => decidedBefore.test(ip) || ip === '8.8.8.8')).toEqual([]);
  const isCustomer = (ip: string) => ['DE', 'US'].includes(countries.get(ip)?.country_code ?? '');
  const answers: string[] = [];
  for (const ip of addresses) answers.push(`${ip} ${(await ask(ip)).status}`);
  expect(answers).toEqual(addresses.map((ip) => `${ip} ${isCustomer(ip) ? 200 : 403}`));
  expect([answers.length, addresses.filter(isCustomer).length]).toEqual([100, 47]);
});

test('a new list counts within its time; a broken one does not, and every verdict of it says so', async () => {
  expect(await ask('8.8.4.4')).toMatchObject({ status: 200 });
  store.put('abuse.txt', '8.8.4.0/24\n', { etag: 'two' });
  await expect.poll(async () => (await ask('8.8.4.4')).status, { timeout: 10_000, interval: 300 }).toBe(403);
  store.put('abuse.txt', '8.8.4.0/24\n8.8.5.0/2x\n', { etag: 'three' });
  await expect
    .poll(async () => (await ask('8.8.4.4')).reason, { timeout: 10_000, interval: 300 })
    .toMatch(/^rules\[0\] "abuse": list abuse \(not read since 20/);
  expect(await ask('8.8.8.9')).toMatchObject({ status: 200 });
  expect(workerd.output()).toContain("line 2: '8.8.5.0/2x' is not a network");
  expect(await ask('', 'Reload')).toMatchObject({ status: 503, text: expect.stringContaining('line 2') });
  store.put('abuse.txt', '# none\n', { etag: 'four' });
  expect(await ask('', 'Reload')).toMatchObject({ status: 200 });
  expect(await ask('8.8.4.4')).toMatchObject({ status: 200 });
});

test('a Worker that never had its list lets nobody in', async () => {
  store.broken = true;
  const fresh = await start('kv');
  const answer = await ask('8.8.4.4', 'CheckIP', fresh.url);
  expect(answer).toMatchObject({ status: 503, text: expect.stringContaining('list abuse') });
  store.broken = false;
  // it is asked again after five seconds, not with each call
  await expect
    .poll(async () => (await ask('8.8.4.4', 'CheckIP', fresh.url)).status, {
      timeout: 20_000,
      interval: 1_000,
    })
    .toBe(200);
  await fresh.close();
});

test('a database in the bundle needs no store', async () => {
  const own = await start('bundle');
  store.put('abuse.txt', '# none\n', { etag: 'five' });
  expect(await ask('8.8.4.4', 'CheckIP', own.url)).toMatchObject({
    status: 200,
    reason: expect.stringContaining('US'),
  });
  expect(await ask('2a00::1', 'CheckIP', own.url)).toMatchObject({
    status: 403,
    reason: 'the database does not know the country, and unknown is deny',
  });
  await own.close();
});
