import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../adapter/role/role.ts';
import { AnswerError } from '../../adapter/shapes.ts';
import { reportOffender } from '../../functions/kit/report.ts';
import { buildFunction } from '../../infra/build/function.ts';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import type { PrivateJwk } from '../../proto/keys/jwk.ts';
import { nodeCrypto, nodeSigningKey } from '../../proto/signature/node.ts';
import { signRequest } from '../../proto/signature/sign-request.ts';
import { runInFolder } from '../support/command.ts';
import { callOf, lockedFunction, recordingLog } from '../support/invoke.ts';
import { newKey, publicOf } from '../support/keys.ts';
import { type KVServer, startKV } from '../support/kv-server.ts';
import { makeRoleFolder, type RoleFolder } from '../support/role-folder.ts';
import { startWorkerd } from './workerd.ts';

const kit = 'sftpgo-plugin-serverless';

/** The same function over either store, with and without bans. */
const sources = {
  object: `import { ipfilterRules } from '${kit}/functions/ipfilter';
    import { createBans, objectBans } from '${kit}/functions/ipfilter/bans';
    export { BanList } from '${kit}/functions/ipfilter/bans';
    const bans = createBans({ store: objectBans((env) => env.BANS), reach: '1s', maxFor: '24h',
      rate: { attempts: 20, per: '1m', for: '15m' } });
    export default bans.on(ipfilterRules({ default: 'allow', rules: [] }, { before: [bans.check] }));`,
  kv: `import { ipfilterRules } from '${kit}/functions/ipfilter';
    import { createBans, kvBans } from '${kit}/functions/ipfilter/bans';
    const bans = createBans({ store: kvBans((env) => env.BANS), reach: '1s', maxFor: '24h',
      rate: { attempts: 20, per: '1m', for: '15m', approximate: true } });
    export default bans.on(ipfilterRules({ default: 'allow', rules: [] }, { before: [bans.check] }));`,
  none: `import { ipfilterRules } from '${kit}/functions/ipfilter';
    export default ipfilterRules({ default: 'allow', rules: [] });`,
  memory: `import { ipfilterRules } from '${kit}/functions/ipfilter';
    import { createBans, memoryBans } from '${kit}/functions/ipfilter/bans';
    const bans = createBans({ store: memoryBans() });
    export default bans.on(ipfilterRules({ default: 'allow', rules: [] }, { before: [bans.check] }));`,
};
type Kind = keyof typeof sources;

const functionKey = newKey();
/** The keys of two SFTPGo nodes and an auth function, which report; of a third node, which is not listed. */
const [authKey, strangerKey] = [newKey(), newKey()];
let folder: string;
const folders: RoleFolder[] = [];
const builds = new Map<Kind, Awaited<ReturnType<typeof buildFunction>>>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bans-'));
  for (const kind of Object.keys(sources) as Kind[]) {
    const entry = join(folder, `${kind}.ts`);
    await writeFile(entry, sources[kind]);
    builds.set(kind, await buildFunction({ entry, name: kind, outDir: folder, targets: ['worker'] }));
  }
  for (let n = 0; n < 3; n++) folders.push(await makeRoleFolder('http://localhost:1'));
});
afterAll(async () => {
  await Promise.all(folders.map((one) => one.remove()));
  await rm(folder, { recursive: true });
});

const folderOf = (n: number): RoleFolder => {
  const found = folders[n];
  if (found === undefined) throw new Error(`no folder ${n}`);
  return found;
};

/** One function in workerd, two nodes that it lists, one that it does not, and what they can do. */
async function start(kind: Kind, kv?: KVServer) {
  const keys = (jwks: readonly PrivateJwk[]) => JSON.stringify({ keys: jwks.map(publicOf) });
  const nodes = folders.map(({ adapterKey }) => adapterKey);
  const workerd = await startWorkerd({
    module: join(folder, `${kind}.worker.mjs`),
    env: {
      PLUGIN_FUNCTION: 'office@live',
      PLUGIN_CALLERS: keys(nodes),
      PLUGIN_REPORTERS: keys([...nodes.slice(0, 2), authKey]),
    },
    secrets: { PLUGIN_KEY: JSON.stringify(functionKey) },
    ...(kind === 'object' ? { objects: { BANS: 'BanList' } } : {}),
    ...(kv === undefined ? {} : { kv: { BANS: kv.port } }),
  });
  const built = builds.get(kind);
  const version = built?.artifacts[0]?.buildId ?? '';
  const roles = await Promise.all(
    folders.map(async (one) => {
      const entry = lockedFunction(workerd.url, functionKey, version);
      await one.lock({}, { ...entry, handles: [...(built?.handles ?? [])] });
      const role = new Role({ type: 'ipfilter', configPath: one.configPath, log: recordingLog() });
      await role.refresh();
      return role;
    }),
  );
  return {
    workerd,
    /** What SFTPGo gets of a node that remembers nothing. */
    async check(node: number, ip: string): Promise<string> {
      const role = roles[node];
      await role?.handle(callOf(IPFilter.method.reload, {}));
      try {
        await role?.handle(callOf(IPFilter.method.checkIP, { ip, protocol: 'SSH' }));
        return 'allowed';
      } catch (error) {
        return error instanceof AnswerError ? (error.facts.reason ?? error.code) : String(error);
      }
    },
    /** `bans …` on a node. */
    cli: (node: number, ...args: string[]) =>
      runInFolder(folderOf(node).path, ['bans', ...args, '--config', 'serverless.yaml']),
    report: (ip: string, key = authKey, id = crypto.randomUUID().replaceAll('-', '')) =>
      reportOffender(
        {
          env: {
            PLUGIN_KEY: JSON.stringify(key),
            PLUGIN_REPORT_TO: JSON.stringify({
              function: 'office@live',
              address: workerd.url,
              keys: [publicOf(functionKey)],
            }),
          },
          id,
          signal: AbortSignal.timeout(5000),
          deadlineMs: Date.now() + 5000,
          waitUntil: () => undefined,
          log: recordingLog(),
        },
        { ip, protocol: 'SSH', reason: 'wrong password' },
      ),
    async close() {
      await Promise.all(roles.map((role) => role.close()));
      await workerd.close();
    },
  };
}

type Running = Awaited<ReturnType<typeof start>>;

describe.each(['object', 'kv'] as const)('bans in %s', (kind) => {
  let kv: KVServer;
  let office: Running;

  beforeAll(async () => {
    kv = await startKV();
    office = await start(kind, kind === 'kv' ? kv : undefined);
  });
  afterAll(async () => {
    await office.close();
    await kv.close();
  });

  test('a ban of one node is felt by the other, listed there, and ended there', async () => {
    expect(await office.check(1, '203.0.113.7')).toBe('allowed');
    const added = await office.cli(0, 'add', '203.0.113.0/24', '--for', '1h', '--reason', 'scans');
    expect(added).toMatchObject({ code: 0, stderr: '' });
    expect(added.stdout).toMatch(/^203\.0\.113\.0\/24 is banned until \d{4}-/);
    for (const node of [0, 1]) {
      expect(await office.check(node, '203.0.113.7')).toMatch(/^banned until .*: scans$/);
      expect(await office.check(node, '::ffff:203.0.113.255')).toMatch(/^banned until/);
      expect(await office.check(node, '203.0.112.7')).toBe('allowed');
    }
    const listed = await office.cli(1, 'list', '--json');
    expect(JSON.parse(listed.stdout)).toMatchObject({ network: '203.0.113.0/24', reason: 'scans' });
    expect((await office.cli(1, 'list')).stdout.split('\n')[1]).toContain('scans');
    expect(await office.cli(1, 'remove', '203.0.113.0/24')).toMatchObject({
      code: 0,
      stdout: '203.0.113.0/24 is no longer banned\n',
    });
    for (const node of [0, 1]) expect(await office.check(node, '203.0.113.7')).toBe('allowed');
    expect(await office.cli(0, 'remove', '203.0.113.0/24', '--json')).toMatchObject({
      code: 1,
      stdout: '{"network":"203.0.113.0/24","removed":false}\n',
    });
  });

  test('a ban ends by itself', async () => {
    await office.cli(0, 'add', '203.0.113.8', '--for', '2s');
    expect(await office.check(1, '203.0.113.8')).toMatch(/^banned until/);
    await expect.poll(() => office.check(1, '203.0.113.8'), { timeout: 10_000 }).toBe('allowed');
    expect((await office.cli(0, 'list', '--json')).stdout).not.toContain('203.0.113.8');
  });

  test('a node that is not listed is told so', async () => {
    const { code, stderr } = await office.cli(2, 'add', '203.0.113.9', '--for', '1h');
    expect([code, stderr]).toEqual([1, expect.stringContaining('PLUGIN_REPORTERS')]);
    expect(await office.check(2, '203.0.113.9')).toBe('allowed');
  });

  test.each([
    ['0.0.0.0/0', '1h', 'too wide for a ban'],
    ['office', '1h', 'is not a network'],
    ['203.0.113.9', '15', 'a time with its unit'],
  ])('bans add %s --for %s is refused before a call', async (network, time, text) => {
    const { code, stderr } = await office.cli(0, 'add', network, '--for', time);
    expect([code, stderr]).toEqual([1, expect.stringContaining(text)]);
  });

  test('a ban for years is one for as long as the function allows', async () => {
    const { stdout, stderr } = await office.cli(0, 'add', '203.0.113.10', '--for', '9999d', '--json');
    const { until } = JSON.parse(stdout) as { until: string };
    expect(Date.parse(until)).toBeLessThanOrEqual(Date.now() + 24 * 3_600_000);
    expect(stderr).toContain('the most that the function allows');
  });

  test('20 reports of an auth function ban a network', async () => {
    for (let n = 1; n < 20; n++) expect(await office.report('2001:db8:9::1')).toMatchObject({ count: n });
    expect(await office.check(0, '2001:db8:9::2')).toBe('allowed');
    const { bannedUntil } = await office.report('2001:db8:9::1');
    expect(Number(bannedUntil)).toBeGreaterThan(Date.now());
    for (const node of [0, 1]) {
      expect(await office.check(node, '2001:db8:9::2')).toMatch(/: 20 in 60 s: wrong password$/);
    }
  });

  test('a report by a key that is not listed is not taken', async () => {
    await expect(office.report('203.0.113.11', strangerKey)).rejects.toMatchObject({
      code: 'ANSWER_UNSIGNED',
    });
  });

  test('a call that is replayed does nothing', async () => {
    const body = new TextEncoder().encode(JSON.stringify({ network: '203.0.113.12', forMs: '3600000' }));
    const url = `${office.workerd.url}/sftpgo.Bans/Add`;
    const plain = {
      'content-type': 'application/json',
      'connect-protocol-version': '1',
      'connect-timeout-ms': '5000',
      'plugin-function': 'office@live',
      'plugin-call-id': '00112233445566778899aabbccddeeff',
    };
    const options = { key: nodeSigningKey(authKey), crypto: nodeCrypto, nowS: Date.now() / 1000 };
    const signed = async () =>
      (await signRequest({ method: 'POST', url, headers: Object.entries(plain), body }, options)).map(
        ([name, value]): [string, string] => [name, value],
      );
    const headers = await signed();
    expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(200);
    await office.cli(0, 'remove', '203.0.113.12');
    expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(401);
    // what another instance would see, which knows no nonce of this one: the call's id alone
    expect((await fetch(url, { method: 'POST', headers: await signed(), body })).status).toBe(200);
    expect(await office.check(1, '203.0.113.12')).toBe('allowed');
  });
});

test('object: 200 reports at once from 10 networks of two nodes are 10 bans', async () => {
  const office = await start('object');
  const reported = await Promise.all(
    Array.from({ length: 200 }, (_, n) => office.report(`203.0.113.${n % 10}`)),
  );
  expect(reported.filter(({ bannedUntil }) => bannedUntil !== undefined)).toHaveLength(10);
  const { stdout } = await office.cli(0, 'list', '--json');
  expect(stdout.trim().split('\n')).toHaveLength(10);
  await office.close();
});

test('kv: what cannot be read is not "no ban"', async () => {
  const kv = await startKV();
  const office = await start('kv', kv);
  kv.broken = true;
  expect(await office.check(0, '203.0.113.7')).toContain('FUNCTION_ERROR');
  expect((await office.cli(0, 'list')).code).toBe(1);
  kv.broken = false;
  expect(await office.check(0, '203.0.113.7')).toBe('allowed');
  await office.close();
  await kv.close();
});

test('a function without bans: the command says so and calls nothing', async () => {
  const office = await start('none');
  const { code, stderr } = await office.cli(0, 'list');
  expect([code, stderr]).toEqual([1, expect.stringContaining('office@live does not handle bans')]);
  await office.close();
});

test('bans in memory are refused by a built function', async () => {
  const office = await start('memory');
  expect(await office.check(0, '203.0.113.7')).toContain('FUNCTION_ERROR');
  await office.close();
});
