import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import type { LockedFunction } from '../../proto/lock/schema.ts';
import { sealLock } from '../../proto/lock/seal.ts';
import { type FunctionServer, startFunction } from '../../test/support/function-server.ts';
import { callOf, lockedFunction, recordingLog } from '../../test/support/invoke.ts';
import { newKey, publicOf } from '../../test/support/keys.ts';
import { codeOf } from '../../test/support/policies.ts';
import { lockWith, makeRoleFolder, type RoleFolder } from '../../test/support/role-folder.ts';
import { Role } from './role.ts';

let folder: RoleFolder;
let served: FunctionServer;
let role: Role<'ipfilter'>;
let arrived: PromiseWithResolvers<void>;
let answer: PromiseWithResolvers<void>;

beforeEach(async () => {
  folder = await makeRoleFolder('http://127.0.0.1:1');
  served = await startFunction(folder);
  await folder.lock({}, { address: served.url });
  role = new Role({ type: 'ipfilter', configPath: folder.configPath, log: recordingLog() });
  await role.refresh();
  arrived = Promise.withResolvers();
  answer = Promise.withResolvers();
  served.intercept = async (_, honest) => {
    arrived.resolve();
    await answer.promise;
    return await honest();
  };
});
afterEach(async () => {
  await role.close();
  await served.close();
  await folder.remove();
  vi.restoreAllMocks();
});

/** A call that is under way while another lock is taken, and what came of it. */
async function duringNewLock(keys: readonly ReturnType<typeof publicOf>[]): Promise<string> {
  const code = codeOf(role.handle(callOf(IPFilter.method.checkIP, { ip: '198.51.100.7', protocol: 'SSH' })));
  await arrived.promise;
  await folder.lock({ seq: 2 }, { address: served.url, keys: [...keys] });
  await role.refresh();
  answer.resolve();
  return await code;
}

const see = async () =>
  await codeOf(role.handle(callOf(IPFilter.method.checkIP, { ip: '192.0.2.7', protocol: 'SSH' })));

/** A lock of this host without the function; other functions of it are none of this role's business. */
async function lockWithout(
  seq: number,
  others: Readonly<Record<string, LockedFunction>> = {},
): Promise<void> {
  await folder.write('bundles.lock.json', await sealLock(lockWith(others, { seq }), [folder.signer]));
  await role.refresh();
}

test('a key that leaves the lock does not answer even the calls under way', async () => {
  expect(await duringNewLock([publicOf(newKey())])).toBe('ANSWER_REFUSED');
});

test('a key that stays answers the calls under way, whatever else changed', async () => {
  expect(await duringNewLock([publicOf(newKey()), publicOf(folder.functionKey)])).toBe('answered');
});

test('a function that leaves the lock answers no more, not even the calls under way, until it is back', async () => {
  const code = codeOf(role.handle(callOf(IPFilter.method.checkIP, { ip: '198.51.100.7', protocol: 'SSH' })));
  await arrived.promise;
  await lockWithout(2, { 'gate@live': lockedFunction('https://gate.example.com', newKey()) });
  answer.resolve();
  expect(await code).toBe('ANSWER_REFUSED');
  expect(await see()).toBe('CONFIG_INVALID');
  await folder.lock({ seq: 3 }, { address: served.url });
  await role.refresh();
  expect(await see()).toBe('answered');
});

test('a lock without any function is a lock, and so it is with the name under another type', async () => {
  answer.resolve();
  await lockWithout(2);
  expect(await see()).toBe('CONFIG_INVALID');
  await folder.lock({ seq: 3 }, { address: served.url });
  await role.refresh();
  expect(await see()).toBe('answered');
  await folder.lock({ seq: 4 }, { address: served.url, type: 'auth' });
  await role.refresh();
  expect(await see()).toBe('CONFIG_INVALID');
});

test('an older lock does not bring it back, without a state folder either', async () => {
  answer.resolve();
  const older = await readFile(folder.at('bundles.lock.json'), 'utf8');
  await lockWithout(2);
  await folder.write('bundles.lock.json', older);
  await role.refresh();
  expect(await see()).toBe('LOCK_ROLLBACK');
});

test('a key that leaves the lock is out of force also while other files are wrong', async () => {
  answer.resolve();
  expect(await see()).toBe('answered');
  await folder.write('adapter.key.json', '{');
  await folder.lock({ seq: 2 }, { address: served.url, keys: [publicOf(newKey())] });
  await role.refresh();
  const other = callOf(IPFilter.method.checkIP, { ip: '198.51.100.9', protocol: 'SSH' });
  expect(await codeOf(role.handle(other))).toBe('ANSWER_REFUSED');
});

test('a mistake in the configuration takes nothing away: the lock still has the function', async () => {
  answer.resolve();
  await folder.write(
    'serverless.yaml',
    (await readFile(folder.configPath, 'utf8')).replace('office', 'offcie'),
  );
  await role.refresh();
  expect(await see()).toBe('answered');
});

test.each([
  ['the key of the host', 'adapter.key.json', () => '{'],
  ['the name in the configuration', 'serverless.yaml', (good: string) => good.replace('office', 'offcie')],
  ['the form of the configuration', 'serverless.yaml', () => 'identity: ['],
  ['a key of the configuration', 'serverless.yaml', (good: string) => `${good}nonsense: 1\n`],
])(
  'a key that leaves the lock while %s is wrong is out, with what it said; back and mended, it answers again',
  async (_, file, spoil) => {
    answer.resolve();
    expect(await see()).toBe('answered');
    const good = await readFile(folder.at(file), 'utf8');
    await folder.write(file, spoil(good));
    await folder.lock({ seq: 2 }, { address: served.url, keys: [publicOf(newKey())] });
    await role.refresh();
    // remembered until then
    expect(await see()).toBe('ANSWER_REFUSED');
    await folder.lock({ seq: 3 }, { address: served.url });
    await folder.write(file, good);
    await role.refresh();
    expect(await see()).toBe('answered');
  },
);
