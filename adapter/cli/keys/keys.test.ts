import { chmod, chown, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runInFolder } from '../../../test/support/command.ts';
import { readPrivateKey, readPublicKeys } from '../../config/key-files.ts';
import { keyidOf } from './files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keys-'));
});
afterEach(async () => await rm(folder, { recursive: true }));

const at = (name: string) => join(folder, name);
const keys = async (...args: string[]) => await runInFolder(folder, ['keys', ...args]);
const mode = async (name: string) => ((await stat(at(name))).mode & 0o777).toString(8);
const privateId = async (name: string) => await keyidOf((await readPrivateKey(at(name))).jwk);
const publicIds = async (name: string) => {
  const read = await readPublicKeys(at(name), 'keys', 'KEY_FILE_INVALID');
  return await Promise.all(read.keys.map(keyidOf));
};

test.each([
  ['the adapter', [], 'adapter', 'PLUGIN_CALLERS'],
  ['a function', ['--function', 'office'], 'office', 'the lock'],
  ['a function at a stage', ['--function', 'office@beta'], 'office', 'the lock'],
  ['a lock signer', ['--lock-signer'], 'lock-signer', 'the trust file'],
  ['a file of its own', ['--out', 'spare.key.json'], 'spare', 'PLUGIN_CALLERS'],
])('create for %s: a private file, a public one, and where its key goes', async (_, args, name, use) => {
  const { code, stdout } = await keys('create', ...args);
  expect(code).toBe(0);
  expect((await readdir(folder)).sort()).toEqual([`${name}.jwks.json`, `${name}.key.json`]);
  expect(await mode(`${name}.key.json`)).toBe('600');
  const id = await privateId(`${name}.key.json`);
  expect(await publicIds(`${name}.jwks.json`)).toEqual([id]);
  expect(stdout).toContain(id);
  expect(stdout).toContain(use);
  const { d } = (await readPrivateKey(at(`${name}.key.json`))).jwk;
  expect(stdout + (await readFile(at(`${name}.jwks.json`), 'utf8'))).not.toContain(d);
});

test('create --json is one object', async () => {
  const { stdout } = await keys('create', '--json');
  expect(JSON.parse(stdout)).toEqual({
    file: 'adapter.key.json',
    publicFile: 'adapter.jwks.json',
    keyid: await privateId('adapter.key.json'),
  });
});

test('create never replaces a file, and leaves the public one as it was', async () => {
  await keys('create');
  const before = await privateId('adapter.key.json');
  const { code, stderr, stdout } = await keys('create');
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toBe(
    'error KEY_FILE_INVALID: adapter.key.json exists\n' +
      '  expected: a new file: a key is never overwritten\n' +
      '  Replace a key by `keys rotate`, or use another --out.\n',
  );
  expect(await privateId('adapter.key.json')).toBe(before);
  expect(await publicIds('adapter.jwks.json')).toEqual([before]);
});

test('create does not write through a link that leads nowhere yet', async () => {
  await symlink(at('elsewhere'), at('adapter.key.json'));
  expect((await keys('create')).code).toBe(1);
  expect(await readdir(folder)).toEqual(['adapter.key.json']);
});

test('create adds to the public keys that are there', async () => {
  await keys('create');
  const first = await privateId('adapter.key.json');
  await rm(at('adapter.key.json'));
  await keys('create');
  expect(await publicIds('adapter.jwks.json')).toEqual([first, await privateId('adapter.key.json')]);
});

test('list shows keyids and what is wrong with a file, never a private key', async () => {
  await keys('create');
  await keys('create', '--lock-signer');
  await chmod(at('lock-signer.key.json'), 0o644);
  await writeFile(at('broken.jwks.json'), '{}', { mode: 0o600 });
  await writeFile(at('other.json'), '{}');
  const { code, stdout } = await keys('list', '--json');
  expect(code).toBe(1);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ file, kind, problem }) => [file, kind, problem === ''])).toEqual([
    ['adapter.jwks.json', 'public', true],
    ['adapter.key.json', 'private', true],
    ['broken.jwks.json', 'public', false],
    ['lock-signer.jwks.json', 'public', true],
    ['lock-signer.key.json', 'private', false],
  ]);
  expect(lines.find(({ file }) => file === 'lock-signer.key.json').problem).toContain('has mode 0644');
  const { d } = (await readPrivateKey(at('adapter.key.json'))).jwk;
  const table = (await keys('list')).stdout;
  expect(table).toMatch(/^file +kind +keyid +problem\n/);
  expect(table + stdout).not.toContain(d);
});

test('list is content with keys in order, also when they are named', async () => {
  await keys('create');
  expect((await keys('list')).code).toBe(0);
  const { code, stdout } = await keys('list', 'adapter.key.json', '--json');
  expect([code, JSON.parse(stdout).keyid]).toEqual([0, await privateId('adapter.key.json')]);
});

test('rotate in two steps: both keys are public in between, the old one is in force until --finish', async () => {
  await keys('create');
  const old = await privateId('adapter.key.json');
  expect((await keys('rotate', 'adapter.key.json')).code).toBe(0);
  const fresh = await privateId('adapter.key.next.json');
  expect(await mode('adapter.key.next.json')).toBe('600');
  expect(await privateId('adapter.key.json')).toBe(old);
  expect(await publicIds('adapter.jwks.json')).toEqual([old, fresh]);
  expect((await keys('rotate', 'adapter.key.json', '--finish')).code).toBe(0);
  expect(await privateId('adapter.key.json')).toBe(fresh);
  expect(await publicIds('adapter.jwks.json')).toEqual([fresh]);
  expect((await readdir(folder)).sort()).toEqual(['adapter.jwks.json', 'adapter.key.json']);
});

test('rotate keeps the keys of others in the public file', async () => {
  await keys('create');
  const other = await privateId('adapter.key.json');
  await rm(at('adapter.key.json'));
  await keys('create');
  await keys('rotate', 'adapter.key.json');
  expect(await publicIds('adapter.jwks.json')).toContain(other);
  await keys('rotate', 'adapter.key.json', '--finish');
  expect(await publicIds('adapter.jwks.json')).toEqual([other, await privateId('adapter.key.json')]);
});

test('rotate leaves mode and owner of the key file, so that SFTPGo can still read it', async () => {
  const owner = process.getuid?.() === 0 ? 12_345 : (process.getuid?.() ?? 0);
  await keys('create');
  await chown(at('adapter.key.json'), owner, (await stat(folder)).gid);
  await chmod(at('adapter.key.json'), 0o440);
  await keys('rotate', 'adapter.key.json');
  await keys('rotate', 'adapter.key.json', '--finish');
  expect(await mode('adapter.key.json')).toBe('440');
  expect((await stat(at('adapter.key.json'))).uid).toBe(owner);
});

test.each([
  ['--finish without a first step', ['--finish'], 'Run: keys rotate adapter.key.json\n'],
  ['a first step twice', [], 'Run: keys rotate adapter.key.json --finish\n'],
])('rotate: %s names the command that is next', async (_, args, remedy) => {
  await keys('create');
  if (args.length === 0) await keys('rotate', 'adapter.key.json');
  const before = await readFile(at('adapter.jwks.json'), 'utf8');
  const { code, stderr } = await keys('rotate', 'adapter.key.json', ...args);
  expect(code).toBe(1);
  expect(stderr).toContain(remedy);
  expect(await readFile(at('adapter.jwks.json'), 'utf8')).toBe(before);
});
