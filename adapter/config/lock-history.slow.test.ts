import { chown, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { lastAccepted, rememberLock, resetAccepted } from './lock-history.ts';

// who runs the tests may be root or not: what would be given away is looked at instead
vi.mock(import('node:fs/promises'), async (original) => ({
  ...(await original()),
  chown: vi.fn(async () => undefined),
}));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'state-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.mocked(chown).mockClear();
  await rm(folder, { recursive: true });
});

const lock = { seq: 1, digest: 'd'.repeat(64) };
const runAs = (uid: number) => vi.spyOn(process as { getuid(): number }, 'getuid').mockReturnValue(uid);

test('what root writes belongs to the owner of the folder: SFTPGo runs as another user', async () => {
  runAs(0);
  const { uid, gid } = await stat(folder);
  await rememberLock(folder, 'ipfilter', lock);
  expect(vi.mocked(chown).mock.calls).toEqual([[join(folder, 'ipfilter.lock-seq.json'), uid, gid]]);
});

test('a state folder that root makes belongs to the owner of what it lies in', async () => {
  runAs(0);
  const { uid, gid } = await stat(folder);
  await lastAccepted(join(folder, 'lib/sftpgo/serverless'), 'ipfilter');
  expect(vi.mocked(chown).mock.calls).toEqual([
    [join(folder, 'lib'), uid, gid],
    [join(folder, 'lib/sftpgo'), uid, gid],
    [join(folder, 'lib/sftpgo/serverless'), uid, gid],
  ]);
});

test('nobody else gives files away', async () => {
  runAs(1000);
  await lastAccepted(join(folder, 'made'), 'ipfilter');
  await rememberLock(join(folder, 'made'), 'ipfilter', lock);
  expect(chown).not.toHaveBeenCalled();
});

test('a reset by root leaves the file to the owner of the folder', async () => {
  runAs(0);
  const { uid, gid } = await stat(folder);
  await resetAccepted(folder, 'ipfilter', lock);
  expect(vi.mocked(chown).mock.calls).toEqual([[join(folder, 'ipfilter.lock-seq.json'), uid, gid]]);
});
