import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lastAccepted, noneAccepted, rememberLock, resetAccepted } from './lock-history.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'state-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const digest = 'd'.repeat(64);
const remember = async (type: string, seq: number, at = folder) =>
  (await rememberLock(at, type, { seq, digest })).seq;
const lastSeq = async (type: string, at = folder) => (await lastAccepted(at, type)).seq;

test('nothing was accepted at first; what was is remembered, for each role by itself', async () => {
  expect(await lastSeq('ipfilter')).toBe(0);
  await remember('ipfilter', 7);
  expect(await lastSeq('ipfilter')).toBe(7);
  expect(await lastSeq('auth')).toBe(0);
});

test('the same problem has the same text each time: it is logged once a minute', async () => {
  // too long a name for the temporary file alone
  const type = 'x'.repeat(230);
  const problem = async () => await remember(type, 1).catch((error: { happened?: string }) => error.happened);
  const first = await problem();
  expect(first).toMatch(/^the state file \S+x\.lock-seq\.json cannot be used \(E[A-Z]+\)$/);
  expect(await problem()).toBe(first);
});

test('a damaged state file is named, in one line', async () => {
  await writeFile(join(folder, 'ipfilter.lock-seq.json'), '{"seq":"x"}', { mode: 0o600 });
  await expect(lastSeq('ipfilter')).rejects.toThrow('(it is not what the adapter wrote)');
});

test('a seq that another process has accepted meanwhile is not undone', async () => {
  await remember('ipfilter', 7);
  expect(await remember('ipfilter', 5)).toBe(7);
  expect(await lastSeq('ipfilter')).toBe(7);
  const seqs = Array.from({ length: 20 }, (_, index) => 20 - index);
  await Promise.all(seqs.map((seq) => remember('auth', seq)));
  expect(await lastSeq('auth')).toBe(20);
  expect((await readdir(folder)).sort()).toEqual(['auth.lock-seq.json', 'ipfilter.lock-seq.json']);
});

test('what a killed process left behind holds nobody up', async () => {
  const mark = join(folder, 'ipfilter.lock-seq.json.busy');
  await writeFile(mark, 'killed');
  await utimes(mark, 1, 1);
  expect(await remember('ipfilter', 3)).toBe(3);
});

test('a seq means one content: it stays what was accepted first', async () => {
  await rememberLock(folder, 'ipfilter', { seq: 7, digest });
  const other = { seq: 7, digest: 'e'.repeat(64) };
  expect(await rememberLock(folder, 'ipfilter', other)).toEqual({ seq: 7, digest });
  expect(await lastAccepted(folder, 'ipfilter')).toEqual({ seq: 7, digest });
});

test('a state file of an older release, with a seq alone, is read, and gets the content', async () => {
  await writeFile(join(folder, 'ipfilter.lock-seq.json'), '{"seq":7}\n', { mode: 0o600 });
  expect(await lastAccepted(folder, 'ipfilter')).toEqual({ seq: 7 });
  expect(await remember('ipfilter', 6)).toBe(7);
  await remember('ipfilter', 7);
  expect(await lastAccepted(folder, 'ipfilter')).toEqual({ seq: 7, digest });
});

test('a reset replaces a higher seq and a damaged file', async () => {
  const path = join(folder, 'ipfilter.lock-seq.json');
  for (const text of ['{"seq":9}', 'damaged']) {
    await writeFile(path, text, { mode: 0o600 });
    await resetAccepted(folder, 'ipfilter', { seq: 3, digest });
    expect(await lastAccepted(folder, 'ipfilter')).toMatchObject({ seq: 3, digest });
  }
  const { reset } = await resetAccepted(folder, 'ipfilter', { seq: 3, digest });
  expect(await remember('ipfilter', 4)).toBe(4);
  expect(await lastAccepted(folder, 'ipfilter')).toEqual({ seq: 4, digest, reset });
  expect(await lastAccepted(folder, 'auth')).toBe(noneAccepted);
});
