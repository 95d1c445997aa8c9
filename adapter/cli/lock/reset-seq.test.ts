import { readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runInFolder } from '../../../test/support/command.ts';
import { recordingLog } from '../../../test/support/invoke.ts';
import { makeRoleFolder, type RoleFolder } from '../../../test/support/role-folder.ts';
import { Role } from '../../role/role.ts';

let folder: RoleFolder;
beforeEach(async () => {
  folder = await makeRoleFolder('https://functions.example.com');
  await folder.configure([], ['state: state']);
});
afterEach(async () => {
  vi.useRealTimers();
  await folder.remove();
});

const reset = (...args: string[]) =>
  runInFolder(folder.path, ['lock', 'reset-seq', '--config', folder.configPath, ...args]);
const state = async () => JSON.parse(await readFile(folder.at('state/ipfilter.lock-seq.json'), 'utf8'));
const role = () =>
  new Role({ type: 'ipfilter', configPath: folder.configPath, log: recordingLog(), pollMs: 10 });

/** A role that has accepted this seq, and is closed. */
async function accepted(seq: number): Promise<void> {
  await folder.lock({ seq });
  const before = role();
  await before.current();
  await before.close();
}

test('what is remembered is shown, and nothing happens without consent', async () => {
  await accepted(9);
  const { digest } = await state();
  await folder.lock({ seq: 5 });
  const { code, stdout, stderr } = await reset();
  expect(code).toBe(1);
  expect(stdout).toMatch(new RegExp(`^ipfilter +seq 9 \\(${digest.slice(0, 12)}…\\) +seq 5 \\(`, 'm'));
  expect(stderr).toContain('add --yes');
  expect(await state()).toEqual({ seq: 9, digest });
});

test('a running adapter takes the reset over, and no older lock after it', async () => {
  await folder.lock({ seq: 9 });
  const running = role();
  await running.current();
  await folder.lock({ seq: 5 });
  await expect(running.current()).rejects.toMatchObject({ code: 'LOCK_ROLLBACK' });
  expect(await reset('--yes')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('ipfilter: seq 5 is the last one accepted.'),
  });
  expect((await running.current()).files.seq).toBe(5);
  await folder.lock({ seq: 4 });
  await expect(running.current()).rejects.toMatchObject({ code: 'LOCK_ROLLBACK' });
  await running.close();
});

test('other content under one seq is accepted after a reset', async () => {
  await accepted(9);
  await folder.lock({ seq: 9, issued: '2026-02-02T00:00:00Z' });
  const next = role();
  await expect(next.current()).rejects.toMatchObject({ code: 'LOCK_INVALID' });
  await reset('--yes');
  expect((await next.current()).files.seq).toBe(9);
  await next.close();
});

test('a damaged state file is replaced', async () => {
  await accepted(1);
  await writeFile(folder.at('state/ipfilter.lock-seq.json'), '{"seq":');
  const { stdout, stderr } = await reset('--yes');
  expect(stdout).toMatch(/^ipfilter +cannot be read +seq 1 /m);
  expect(stderr).toContain('ipfilter.lock-seq.json cannot be used');
  expect((await state()).seq).toBe(1);
});

test('where nothing is to be reset, nobody is asked', async () => {
  await accepted(3);
  expect(await reset()).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing to reset.') });
});

test.each([
  ['badly sealed', async () => await folder.write('signers.jwks.json', await strangers()), 'LOCK_INVALID'],
  ['expired', async () => await folder.lock({ seq: 5, expires: '2026-02-01T00:00:00Z' }), 'expired at'],
  ['without a state folder', async () => await folder.configure(), 'Restart SFTPGo'],
])('a lock that is %s is not made the accepted one', async (_, spoil, text) => {
  await accepted(9);
  await folder.lock({ seq: 5 });
  await spoil();
  const { code, stderr } = await reset('--yes');
  expect([code, stderr]).toEqual([1, expect.stringContaining(text)]);
  expect((await state()).seq).toBe(9);
});

async function strangers(): Promise<string> {
  const other = await makeRoleFolder('https://functions.example.com');
  const text = await readFile(other.at('signers.jwks.json'), 'utf8');
  await other.remove();
  return text;
}
