import { chown, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { lastAcceptedSeq, rememberSeq } from './lock-history.ts';

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

const runAs = (uid: number) => vi.spyOn(process as { getuid(): number }, 'getuid').mockReturnValue(uid);

test('nothing was accepted at first; what was is remembered, for each role by itself', async () => {
  expect(await lastAcceptedSeq(folder, 'ipfilter')).toBe(0);
  await rememberSeq(folder, 'ipfilter', 7);
  expect(await lastAcceptedSeq(folder, 'ipfilter')).toBe(7);
  expect(await lastAcceptedSeq(folder, 'auth')).toBe(0);
});

test('what root writes belongs to the owner of the folder: SFTPGo runs as another user', async () => {
  runAs(0);
  const { uid, gid } = await stat(folder);
  await rememberSeq(folder, 'ipfilter', 1);
  expect(vi.mocked(chown).mock.calls).toEqual([[join(folder, 'ipfilter.lock-seq.json'), uid, gid]]);
});

test('a state folder that root makes belongs to the owner of what it lies in', async () => {
  runAs(0);
  const { uid, gid } = await stat(folder);
  await lastAcceptedSeq(join(folder, 'lib/sftpgo/serverless'), 'ipfilter');
  expect(vi.mocked(chown).mock.calls).toEqual([
    [join(folder, 'lib'), uid, gid],
    [join(folder, 'lib/sftpgo'), uid, gid],
    [join(folder, 'lib/sftpgo/serverless'), uid, gid],
  ]);
});

test('nobody else gives files away', async () => {
  runAs(1000);
  await lastAcceptedSeq(join(folder, 'made'), 'ipfilter');
  await rememberSeq(join(folder, 'made'), 'ipfilter', 1);
  expect(chown).not.toHaveBeenCalled();
});

test('the same problem has the same text each time: it is logged once a minute', async () => {
  // too long a name for the temporary file alone
  const type = 'x'.repeat(230);
  const problem = async () =>
    await rememberSeq(folder, type, 1).catch((error: { happened?: string }) => error.happened);
  const first = await problem();
  expect(first).toMatch(/^the state file \S+x\.lock-seq\.json cannot be used \(E[A-Z]+\)$/);
  expect(await problem()).toBe(first);
});

test('a damaged state file is named, in one line', async () => {
  await writeFile(join(folder, 'ipfilter.lock-seq.json'), '{"seq":"x"}', { mode: 0o600 });
  await expect(lastAcceptedSeq(folder, 'ipfilter')).rejects.toThrow('(it is not what the adapter wrote)');
});

test('a seq that another process has accepted meanwhile is not undone', async () => {
  await rememberSeq(folder, 'ipfilter', 7);
  expect(await rememberSeq(folder, 'ipfilter', 5)).toBe(7);
  expect(await lastAcceptedSeq(folder, 'ipfilter')).toBe(7);
  const seqs = Array.from({ length: 20 }, (_, index) => index + 1);
  await Promise.all(seqs.map((seq) => rememberSeq(folder, 'auth', seq)));
  expect(await lastAcceptedSeq(folder, 'auth')).toBe(20);
  expect((await readdir(folder)).sort()).toEqual(['auth.lock-seq.json', 'ipfilter.lock-seq.json']);
});

test('what a killed process left behind holds nobody up', async () => {
  const mark = join(folder, 'ipfilter.lock-seq.json.busy');
  await writeFile(mark, 'killed');
  await utimes(mark, 1, 1);
  expect(await rememberSeq(folder, 'ipfilter', 3)).toBe(3);
});
