import { readdir, readFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hostProgram } from '../../../adapter/cli/program.ts';
import { Role } from '../../../adapter/role/role.ts';
import { IPFilter } from '../../../proto/gen/sftpgo/ipfilter_pb.ts';
import { type CommandOutcome, runInFolder } from '../../../test/support/command.ts';
import { type FunctionServer, startFunction } from '../../../test/support/function-server.ts';
import { callOf, lockedFunction, recordingLog } from '../../../test/support/invoke.ts';
import { newKey } from '../../../test/support/keys.ts';
import { codeOf } from '../../../test/support/policies.ts';
import { makeRoleFolder, type RoleFolder } from '../../../test/support/role-folder.ts';
import { putFunction } from '../../lock/put.ts';
import { keyidsOf } from '../../lock/text.ts';
import { readLockFile } from '../../lock/write.ts';
import { lockCommand } from './index.ts';

/** The lock of this project is the one of a host: what is taken out is gone for it. */
let folder: RoleFolder;
let served: FunctionServer;
beforeEach(async () => {
  folder = await makeRoleFolder('http://127.0.0.1:1');
  served = await startFunction(folder);
  await folder.lock({}, { address: served.url });
  await folder.write('lock-signer.key.json', JSON.stringify(folder.signer.jwk));
});
afterEach(async () => {
  await served.close();
  await folder.remove();
});

const files = () => ({
  lockFile: folder.at('bundles.lock.json'),
  signerFile: folder.at('lock-signer.key.json'),
});
const lockNow = async () => await readLockFile(files());
const remove = async (...args: string[]): Promise<CommandOutcome> =>
  await runInFolder(folder.path, ['lock', 'remove', ...args], undefined, hostProgram([lockCommand()]));
const put = async (name: string) =>
  await putFunction({
    ...files(),
    name,
    entry: lockedFunction('https://gate.example.com', newKey(), 'a'.repeat(64)),
  });

test('one function leaves the lock, and what left is printed: the next seq, kept as every lock is', async () => {
  await put('gate@live');
  const keys = await keyidsOf((await lockNow())?.functions['gate@live'] ?? lockedFunction('', newKey()));
  const { code, stdout } = await remove('gate');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^bundles\.lock\.json: seq 3, without gate@live, expires \d{4}-\d\d-\d\d\n/);
  expect(stdout).toContain(
    [
      'removed gate@live: ipfilter, https',
      '  address  https://gate.example.com',
      '  handles  CheckIP, Reload',
      '  version  aaaaaaaaaaaa…, 0 packages',
      `  key      ${keys[0]}`,
      'Bring it to the SFTPGo machine: within 5 s of taking it, the host refuses the calls of gate@live.',
    ].join('\n'),
  );
  const lock = await lockNow();
  expect([lock?.seq, Object.keys(lock?.functions ?? {})]).toEqual([3, ['office@live']]);
  expect(await readFile(folder.at('locks/3.json'), 'utf8')).toBe(
    await readFile(folder.at('bundles.lock.json'), 'utf8'),
  );
});

test('a host that takes the lock calls the function no more', async () => {
  const role = new Role({ type: 'ipfilter', configPath: folder.configPath, log: recordingLog() });
  const check = callOf(IPFilter.method.checkIP, { ip: '198.51.100.7', protocol: 'SSH' });
  try {
    await put('gate@live');
    await role.refresh();
    expect(await codeOf(role.handle(check))).toBe('answered');
    await remove('office@live');
    await role.refresh();
    expect(await codeOf(role.handle(check))).toBe('CONFIG_INVALID');
  } finally {
    await role.close();
  }
});

test('the last one: a lock without functions, which a host takes, and refuses all', async () => {
  const { code, stdout } = await remove('office');
  expect([code, stdout]).toEqual([0, expect.stringContaining('No function is left in it.\n')]);
  expect(await lockNow()).toMatchObject({ seq: 2, functions: {} });
  const role = new Role({ type: 'ipfilter', configPath: folder.configPath, log: recordingLog() });
  await role.refresh();
  try {
    const check = callOf(IPFilter.method.checkIP, { ip: '198.51.100.7', protocol: 'SSH' });
    expect(await codeOf(role.handle(check))).toBe('CONFIG_INVALID');
  } finally {
    await role.close();
  }
  await put('gate@live');
  expect(await lockNow()).toMatchObject({ seq: 3, functions: { 'gate@live': {} } });
});

test.each([
  ['offcie', 'has no function offcie@live', 'Did you mean office@live?'],
  ['office@beta', 'has no function office@beta', 'Did you mean office@live?'],
  ['toString', 'has no function toString@live', 'Correct the name'],
  ['__proto__@live', 'has no function __proto__@live', 'Correct the name'],
])('%s is not there: the names are listed, and nothing is written', async (given, happened, remedy) => {
  const before = await readFile(folder.at('bundles.lock.json'), 'utf8');
  const { code, stderr } = await remove(given);
  expect([code, stderr]).toEqual([
    1,
    expect.stringContaining(`error INPUT_INVALID: bundles.lock.json ${happened}`),
  ]);
  expect(stderr).toContain('expected: one of office@live\n');
  expect(stderr).toContain(remedy);
  expect(await readFile(folder.at('bundles.lock.json'), 'utf8')).toBe(before);
  expect(await readdir(folder.path)).not.toContain('locks');
});

test('without a lock, or with one of another signer, it says so', async () => {
  expect(await remove('office', '--lock', 'other.json')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('error LOCK_INVALID: there is no other.json'),
  });
  await folder.write('stranger.key.json', JSON.stringify(newKey()));
  expect(await remove('office', '--signer', 'stranger.key.json')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('the seal does not verify'),
  });
  const trusted = ['--signer', 'stranger.key.json', '--trust', 'signers.jwks.json', '--life', '0d'];
  const { code, stdout } = await remove('office', ...trusted);
  expect([code, stdout]).toEqual([0, expect.stringContaining('without office@live, never expires\n')]);
});
