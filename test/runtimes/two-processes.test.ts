import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeFileAtomically } from '../../adapter/config/write-file.ts';
import { launch, type PluginClient } from '../../adapter/goplugin/host/launch.ts';
import { buildExecutable } from '../../infra/build/executable.ts';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { sealLock } from '../../proto/lock/seal.ts';
import { pluginTypes } from '../../proto/plugin-types.ts';
import { type FunctionServer, startFunction } from '../support/function-server.ts';
import { lockedFunction } from '../support/invoke.ts';
import { lockWith, makeRoleFolder, type RoleFolder } from '../support/role-folder.ts';

const locks = 50;
let folder: RoleFolder;
let server: FunctionServer;
const plugins: PluginClient[] = [];
const lines: string[] = [];

beforeAll(async () => {
  folder = await makeRoleFolder('http://127.0.0.1:1');
  server = await startFunction(folder);
  await folder.configure(['cache: { entries: 0 }'], ['state: state']);
  await lock(1);
  const executable = folder.at('sftpgo-plugin-serverless');
  await buildExecutable(join(import.meta.dirname, '../..'), executable);
  const [name, value] = pluginTypes.ipfilter.cookie;
  for (let index = 0; index < 2; index += 1) {
    plugins.push(
      await launch({
        cmd: executable,
        args: ['serve', '--config', folder.configPath],
        env: { SFTPGO_PLUGIN_SERVERLESS_NODE: process.execPath },
        cookie: { name, value },
        versions: [1],
        onLog: (_level, message) => lines.push(message),
      }),
    );
  }
});
afterAll(async () => {
  await Promise.all(plugins.map((plugin) => plugin.kill()));
  await server?.close();
  await folder?.remove();
});

/** A new lock takes the old one's place, as `lock put` does it. */
async function lock(seq: number): Promise<void> {
  const office = lockedFunction(server.url, folder.functionKey);
  const sealed = await sealLock(lockWith({ 'office@live': office }, { seq }), [folder.signer]);
  await writeFileAtomically(folder.at('bundles.lock.json'), sealed, 0o644);
}

/** The seq in the state folder; throws when the file is no JSON. */
async function rememberedSeq(): Promise<number> {
  return JSON.parse(await readFile(folder.at('state/ipfilter.lock-seq.json'), 'utf8')).seq;
}

test('two processes of one role, as resetpwd makes them, share lock and state while locks come and go', async () => {
  const check = (plugin: PluginClient) =>
    plugin.call(IPFilter.method.checkIP, { ip: '192.0.2.1', protocol: 'SSH' }, { timeoutMs: 20_000 });
  for (const plugin of plugins) await check(plugin);
  const seen: number[] = [];
  let done = false;
  const watching = (async () => {
    while (!done) {
      seen.push(await rememberedSeq());
      await sleep(1);
    }
  })();
  // each Reload reads the files; those of the two processes meet in every order
  const reloading = plugins.map(async (plugin) => {
    while (!done) await plugin.call(IPFilter.method.reload, {}, { timeoutMs: 20_000 });
  });
  for (let seq = 2; seq <= locks; seq += 1) {
    await lock(seq);
    await Promise.all(plugins.map(check));
  }
  await expect.poll(rememberedSeq, { timeout: 20_000 }).toBe(locks);
  done = true;
  await Promise.all([watching, ...reloading]);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  for (const plugin of plugins) await check(plugin);
  expect((await readdir(folder.at('state'))).sort()).toEqual(['ipfilter.lock-seq.json', 'status']);
  // what one process finds overtaken is named so, and is no damage
  expect(lines.filter((line) => /state file|is not JSON|seal/.test(line))).toEqual([]);
});

test('a lock older than both have accepted is refused by both, which serve on', async () => {
  await lock(3);
  for (const plugin of plugins) {
    await plugin.call(IPFilter.method.reload, {}, { timeoutMs: 20_000 });
    await plugin.call(IPFilter.method.checkIP, { ip: '192.0.2.1', protocol: 'SSH' }, { timeoutMs: 20_000 });
  }
  expect(await rememberedSeq()).toBe(locks);
  await expect
    .poll(() => lines.filter((line) => line.includes(`has seq 3, but ${locks} was accepted before`)).length)
    .toBeGreaterThanOrEqual(2);
});
