import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLock } from '../../proto/lock/open.ts';
import { lockedFunction } from '../../test/support/invoke.ts';
import { newKey, publicOf } from '../../test/support/keys.ts';
import { newSigner } from '../../test/support/role-folder.ts';
import { putFunction } from './put.ts';

let folder: string;
let signer: Awaited<ReturnType<typeof newSigner>>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'put-'));
  signer = await newSigner();
  await writeFile(join(folder, 'signer.key.json'), JSON.stringify(signer.jwk), { mode: 0o600 });
});
afterEach(async () => await rm(folder, { recursive: true }));

const lockFile = () => join(folder, 'bundles.lock.json');
const entry = (version: string, key = newKey()) =>
  lockedFunction('https://functions.example.com', key, version.repeat(64));

const put = async (
  name: string,
  locked: ReturnType<typeof entry>,
  more: { keepOld?: boolean; lifeDays?: number } = {},
) =>
  await putFunction({
    lockFile: lockFile(),
    signerFile: join(folder, 'signer.key.json'),
    name,
    entry: locked,
    ...more,
  });

const opened = async () =>
  await openLock(await readFile(lockFile(), 'utf8'), {
    place: 'the lock',
    trust: [{ keyid: signer.keyid, jwk: publicOf(signer.jwk) }],
    threshold: 1,
  });

const versions = async (name: string) =>
  (await opened()).functions[name]?.accepts.map(({ version }) => version[0]);

test('the first lock, and the next one: other functions stay, seq grows', async () => {
  const office = entry('a');
  expect((await put('office@live', office)).seq).toBe(1);
  const beta = entry('b');
  expect((await put('office@beta', beta)).seq).toBe(2);
  expect(await opened()).toMatchObject({ seq: 2, functions: { 'office@live': office, 'office@beta': beta } });
});

test('keepOld: the old versions stay in front of the new one, each once', async () => {
  const key = newKey();
  await put('office@live', entry('a', key));
  await put('office@live', entry('b', key), { keepOld: true });
  expect(await versions('office@live')).toEqual(['a', 'b']);
  await put('office@live', entry('a', key), { keepOld: true });
  expect(await versions('office@live')).toEqual(['b', 'a']);
  await put('office@live', entry('c', key));
  expect(await versions('office@live')).toEqual(['c']);
});

test('keepOld: a key that was changed stays beside the new one, for what the old versions answer', async () => {
  const [before, after] = [newKey(), newKey()];
  const keys = async () => (await opened()).functions['office@live']?.keys.map(({ x }) => x);
  await put('office@live', entry('a', before));
  await put('office@live', entry('b', after), { keepOld: true });
  expect(await keys()).toEqual([before.x, after.x]);
  await put('office@live', entry('b', after), { keepOld: true });
  expect(await keys()).toEqual([before.x, after.x]);
  await put('office@live', entry('c', after));
  expect(await keys()).toEqual([after.x]);
});

test('keepOld: what runs in the adapter has no key from before it moved there', async () => {
  await put('office@live', entry('a'));
  await put(
    'office@live',
    { ...entry('b'), target: 'local', address: 'office.mjs', keys: [] },
    { keepOld: true },
  );
  expect((await opened()).functions['office@live']?.keys).toEqual([]);
  expect(await versions('office@live')).toEqual(['a', 'b']);
});

test('a lock lives for 400 days, or as long as it is told', async () => {
  const lifeDays = async (more: { lifeDays?: number } = {}) => {
    const { issued, expires } = await put('office@live', entry('a'), more);
    return expires && (Date.parse(expires) - Date.parse(issued)) / 86_400_000;
  };
  expect(await lifeDays()).toBe(400);
  expect(await lifeDays({ lifeDays: 30 })).toBe(30);
  expect(await lifeDays({ lifeDays: 0 })).toBeUndefined();
});

test('a lock that another signer sealed is not taken over, and stays', async () => {
  await put('office@live', entry('a'));
  const before = await readFile(lockFile(), 'utf8');
  await writeFile(join(folder, 'signer.key.json'), JSON.stringify((await newSigner()).jwk));
  await expect(put('office@live', entry('b'))).rejects.toMatchObject({ code: 'LOCK_INVALID' });
  expect(await readFile(lockFile(), 'utf8')).toBe(before);
});

test('one key for two functions is refused before anything is written', async () => {
  const key = newKey();
  await put('office@live', entry('a', key));
  const before = await readFile(lockFile(), 'utf8');
  await expect(put('office@beta', entry('b', key))).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    happened: expect.stringContaining('listed under office@live too'),
  });
  expect(await readFile(lockFile(), 'utf8')).toBe(before);
});

test('an exposed signer key seals nothing', async () => {
  await chmod(join(folder, 'signer.key.json'), 0o644);
  await expect(put('office@live', entry('a'))).rejects.toMatchObject({ code: 'KEY_FILE_EXPOSED' });
});
