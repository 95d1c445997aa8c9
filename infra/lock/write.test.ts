import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSealedLock, peekLock } from '../../proto/lock/open.ts';
import { lockedFunction } from '../../test/support/invoke.ts';
import { newKey, publicOf } from '../../test/support/keys.ts';
import { newSigner } from '../../test/support/role-folder.ts';
import { changeFunction } from './change-function.ts';
import { replaceLock } from './replace.ts';
import { signLock } from './sign.ts';
import { type LockFiles, readKeptLock, readLockFile, writeLock } from './write.ts';

let folder: string;
let files: LockFiles;
const at = (name: string) => join(folder, name);
const signers = new Map<string, Awaited<ReturnType<typeof newSigner>>>();
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-'));
  for (const name of ['one', 'two']) signers.set(name, await addSigner(name));
  files = { lockFile: at('bundles.lock.json'), signerFile: at('one.key.json') };
});
afterEach(async () => await rm(folder, { recursive: true }));

async function addSigner(name: string) {
  const signer = await newSigner();
  await writeFile(at(`${name}.key.json`), JSON.stringify(signer.jwk), { mode: 0o600 });
  return signer;
}

async function trust(...names: string[]): Promise<string> {
  const keys = names.map((name) => publicOf(signers.get(name)?.jwk ?? newKey()));
  await writeFile(at('trust.jwks.json'), JSON.stringify({ keys }));
  return at('trust.jwks.json');
}

const keyid = (name: string) => signers.get(name)?.keyid;
const office = () => lockedFunction('https://office.example.com', newKey(), 'a'.repeat(64));
const put = async (name = 'office@live', entry = office(), more: LockFiles = files) =>
  await writeLock(more, (functions) => changeFunction(functions, name, entry));
const text = async (name = 'bundles.lock.json') => await readFile(at(name), 'utf8');

test('each sealed lock is kept by its seq, as it was', async () => {
  const first = await put();
  const sealed = await text();
  await put('gate@live');
  expect(await readdir(at('locks'))).toEqual(['1.json', '2.json']);
  expect(await text('locks/1.json')).toBe(sealed);
  expect(await readKeptLock(files, 1)).toEqual(first);
  await expect(readKeptLock(files, 3)).rejects.toMatchObject({
    happened: expect.stringContaining('3.json is not there'),
    remedy: 'Kept are: 1, 2.',
  });
});

test('a kept lock under the wrong seq, or changed, is refused', async () => {
  await put();
  await put();
  await writeFile(at('locks/1.json'), await text('locks/2.json'));
  await expect(readKeptLock(files, 1)).rejects.toMatchObject({
    happened: expect.stringContaining('1.json is the lock with seq 2'),
  });
  await writeFile(at('locks/2.json'), (await text('locks/2.json')).replace('payload": "', 'payload": "AA'));
  await expect(readKeptLock(files, 2)).rejects.toMatchObject({
    code: 'LOCK_INVALID',
    happened: expect.stringContaining('locks/2.json'),
    remedy: expect.stringContaining('--to'),
  });
});

test('no seq is given twice, though git brought an older lock back', async () => {
  await put();
  const first = await text();
  await put();
  await put();
  await writeFile(files.lockFile, first);
  expect((await put()).seq).toBe(4);
});

test('two commands at once: one of them is told to run again, and nothing is lost', async () => {
  await put();
  const { promise: everybodyHasRead, resolve } = Promise.withResolvers<void>();
  let reading = 2;
  const both = await Promise.allSettled(
    ['gate@live', 'door@live'].map((name) =>
      writeLock(files, async (functions) => {
        reading -= 1;
        if (reading === 0) resolve();
        await everybodyHasRead;
        return changeFunction(functions, name, office());
      }),
    ),
  );
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(both.find((one) => one.status === 'rejected')).toMatchObject({
    reason: { code: 'INPUT_INVALID', remedy: 'Run it again.' },
  });
  expect(await readLockFile(files)).toMatchObject({ seq: 2, functions: { 'office@live': {} } });
});

test('what another command wrote since the reading stays, lock and copy', async () => {
  await put();
  const before = await text();
  const stale = { before: undefined, sealed: before, seq: 2, copy: 'new' } as const;
  await expect(replaceLock(files.lockFile, stale)).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    happened: expect.stringContaining('bundles.lock.json was written by another command'),
  });
  await writeFile(at('locks/2.json'), 'of a command that was killed');
  await expect(replaceLock(files.lockFile, { ...stale, before })).rejects.toMatchObject({
    happened: expect.stringContaining('locks/2.json was written by another command'),
  });
  expect([await text(), await text('locks/2.json')]).toEqual([before, 'of a command that was killed']);
  expect(await readdir(at('locks'))).toEqual(['1.json', '2.json']);
});

test('a lock that is written over in place does not change its copy', async () => {
  await put();
  const sealed = await text();
  await writeFile(files.lockFile, 'cut', { flag: 'r+' });
  expect(await text('locks/1.json')).toBe(sealed);
});

test('a lock that git gave the mode of a umask is taken: its seal protects it', async () => {
  await put();
  const sealed = await text();
  await rm(files.lockFile);
  const umask = process.umask(0);
  await writeFile(files.lockFile, sealed).finally(() => process.umask(umask));
  expect((await put()).seq).toBe(2);
});

test('a function is taken out by writing none', async () => {
  await put();
  await put('gate@live');
  const { functions } = await writeLock(files, (all) => changeFunction(all, 'office@live', undefined));
  expect(Object.keys(functions)).toEqual(['gate@live']);
});

test('a lock of an older signer is taken over when it is in the trust file', async () => {
  await put();
  const next = { ...files, signerFile: at('two.key.json') };
  await expect(put('gate@live', office(), next)).rejects.toMatchObject({ code: 'LOCK_INVALID' });
  await expect(put('gate@live', office(), { ...next, trustFile: await trust('two') })).rejects.toMatchObject({
    code: 'LOCK_INVALID',
  });
  await put('gate@live', office(), { ...next, trustFile: await trust('one', 'two') });
  expect(peekLock(await text(), 'lock').signers).toEqual([keyid('two')]);
});

const open = async (threshold: number, ...names: string[]) =>
  await openSealedLock(await text(), {
    place: 'the lock',
    threshold,
    trust: names.map((name) => ({
      keyid: keyid(name) ?? '',
      jwk: publicOf(signers.get(name)?.jwk ?? newKey()),
    })),
  });

test('a second signature makes two, over the same content, in the kept copy too', async () => {
  await put();
  const { digest } = await open(1, 'one');
  await signLock({ ...files, signerFile: at('two.key.json'), trustFile: await trust('one') });
  expect(await open(2, 'one', 'two')).toMatchObject({ digest, signers: [keyid('one'), keyid('two')] });
  expect(await text('locks/1.json')).toBe(await text());
  const twice = await text();
  await signLock({ ...files, signerFile: at('one.key.json') });
  expect((await open(2, 'one', 'two')).signers).toHaveLength(2);
  expect((await text()).length).toBe(twice.length);
});

test('a new signer alone: the same content without the old signature', async () => {
  await put();
  const { digest } = await open(1, 'one');
  await signLock(
    { ...files, signerFile: at('two.key.json'), trustFile: await trust('one', 'two') },
    { only: true },
  );
  expect(await open(1, 'two')).toMatchObject({ digest, signers: [keyid('two')] });
});

test('nothing is signed beside a signature that does not verify', async () => {
  await put();
  const before = await text();
  const sign = async () =>
    await signLock({ ...files, signerFile: at('two.key.json'), trustFile: await trust('two') });
  await expect(sign()).rejects.toMatchObject({ code: 'LOCK_INVALID' });
  expect(await text()).toBe(before);
  await writeFile(files.lockFile, before.slice(0, -40));
  await expect(signLock(files)).rejects.toMatchObject({ code: 'LOCK_INVALID' });
});

test('a kept lock of another content stays what it is', async () => {
  await put();
  const kept = await text('locks/1.json');
  await rm(at('locks'), { recursive: true });
  await rm(files.lockFile);
  await put('gate@live');
  await writeFile(at('locks/1.json'), kept);
  await signLock({ ...files, signerFile: at('two.key.json') });
  expect(await text('locks/1.json')).toBe(kept);
});
