import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runInFolder } from '../../test/support/command.ts';
import { type FunctionServer, startFunction } from '../../test/support/function-server.ts';
import { makeRoleFolder, type RoleFolder } from '../../test/support/role-folder.ts';

let folder: RoleFolder;
let served: FunctionServer;
beforeEach(async () => {
  folder = await makeRoleFolder('http://127.0.0.1:1');
  served = await startFunction(folder);
});
afterEach(async () => {
  await served.close();
  await folder.remove();
});

const verify = async (...args: string[]) =>
  await runInFolder(folder.path, ['verify', '--config', folder.configPath, ...args]);
const untried = 'not yet run against the live Cloudflare API';

test('of a Worker, the table ends with what its evidence rests on', async () => {
  const accepts = [{ version: randomUUID(), files: {}, config: {}, inputs: {} }];
  await folder.lock({}, { address: served.url, target: 'worker', accepts });
  const { stdout, stderr } = await verify();
  expect(stdout.split('\n').at(-2)).toContain(`Workers: ${untried}`);
  expect(stderr).not.toContain(untried);
  const json = await verify('--json');
  expect(
    json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).target),
  ).toEqual(['worker']);
  expect(json.stderr).toContain(untried);
});

test('of other targets nothing of the kind is said', async () => {
  await folder.lock({}, { address: served.url });
  const { code, stdout, stderr } = await verify();
  expect([code, stdout]).toEqual([0, expect.stringContaining('office@live  https')]);
  expect(stdout + stderr).not.toContain('live Cloudflare API');
});
