import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hostProgram } from '../../../adapter/cli/program.ts';
import { runInFolder } from '../../../test/support/command.ts';
import { lockedFunction } from '../../../test/support/invoke.ts';
import { newKey, publicOf } from '../../../test/support/keys.ts';
import { newSigner } from '../../../test/support/role-folder.ts';
import { changeFunction } from '../../lock/change-function.ts';
import { keyidsOf } from '../../lock/text.ts';
import { writeLock } from '../../lock/write.ts';
import { lockCommand } from './index.ts';

let folder: string;
let signer: Awaited<ReturnType<typeof newSigner>>;
const office = lockedFunction('https://office.example.com', newKey(), 'a'.repeat(64));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-cli-'));
  signer = await newSigner();
  await writeFile(at('lock-signer.key.json'), JSON.stringify(signer.jwk), { mode: 0o600 });
  await writeFile(at('lock-signer.jwks.json'), JSON.stringify({ keys: [publicOf(signer.jwk)] }));
  await put(office);
});
afterEach(async () => await rm(folder, { recursive: true }));

const at = (name: string) => join(folder, name);
const put = async (entry: typeof office, name = 'office@live') =>
  await writeLock(
    { lockFile: at('bundles.lock.json'), signerFile: at('lock-signer.key.json') },
    (functions) => changeFunction(functions, name, entry),
  );
const lock = async (...args: string[]) =>
  await runInFolder(folder, ['lock', ...args], undefined, hostProgram([lockCommand()]));
const trust = ['--trust', 'lock-signer.jwks.json'];
const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], { cwd: folder });

test('lock show: everything that the lock promises, digests shortened', async () => {
  const { stdout, code } = await lock('show', ...trust);
  expect(code).toBe(0);
  expect(stdout).toContain(`sealed   ${signer.keyid} (verified)`);
  expect(stdout).toMatch(/^bundles\.lock\.json: seq 1, content [0-9a-f]{12}…$/m);
  expect(stdout).toContain(
    [
      'office@live: ipfilter, https',
      '  address  https://office.example.com',
      '  handles  CheckIP, Reload',
      '  version  aaaaaaaaaaaa…, 0 packages',
      `  key      ${(await keyidsOf(office))[0]}`,
    ].join('\n'),
  );
});

test('lock show --json has everything in full; without --trust it says that nothing was verified', async () => {
  const { stdout } = await lock('show', '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    lock: { seq: 1, functions: { 'office@live': office } },
    signers: [signer.keyid],
    verified: false,
  });
  expect((await lock('show')).stdout).toContain('(not verified: no --trust)');
});

test('a lock of somebody else is not shown as verified, and one that controls a terminal shows as text', async () => {
  await writeFile(at('lock-signer.jwks.json'), JSON.stringify({ keys: [publicOf((await newSigner()).jwk)] }));
  expect(await lock('show', ...trust)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('LOCK_INVALID'),
  });
  await put({ ...office, target: 'local', address: '\u001b[2Joffice.mjs', keys: [] });
  expect((await lock('show')).stdout).toContain('  address  \\u001b[2Joffice.mjs');
});

test('lock diff: two files, or the file against the committed one', async () => {
  git('init', '-q');
  git('add', '.');
  git('commit', '-qm', 'one');
  expect((await lock('diff', '--exit-code')).code).toBe(0);
  await writeFile(at('old.json'), await readFile(at('bundles.lock.json')));
  await put({ ...office, address: 'https://other.example.com' });
  for (const args of [[], ['old.json', 'bundles.lock.json'], ['--revision', 'HEAD']]) {
    const { stdout, code } = await lock('diff', ...args, ...trust);
    expect(stdout).toMatch(/^- .*: seq 1, .* \(verified\)\n\+ bundles\.lock\.json: seq 2, /);
    expect(stdout).toMatch(
      /\n\noffice@live\n {2}~ address: https:\/\/office\.example\.com → https:\/\/other\.example\.com\n$/,
    );
    expect(code).toBe(0);
  }
  expect((await lock('diff', '--exit-code')).code).toBe(1);
  expect(JSON.parse((await lock('diff', '--json')).stdout)).toMatchObject({
    before: { seq: 1 },
    after: { seq: 2 },
    changes: [{ function: 'office@live', field: 'address' }],
  });
});

test.each([
  ['--revision', 'nowhere'],
  ['--revision', 'HEAD'],
])('lock diff where git has nothing (%s) says so', async (...args) => {
  git('init', '-q');
  expect(await lock('diff', ...args)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('git does not show bundles.lock.json'),
  });
});

test('the name of a revision is no option of git', async () => {
  git('init', '-q');
  git('add', 'bundles.lock.json');
  git('commit', '-qm', 'one');
  await mkdir(at('made:.'));
  expect(await lock('diff', '--revision=--output=made')).toMatchObject({ code: 1 });
  expect(await readdir(at('made:.'))).toEqual([]);
});

test('lock sign adds a signature; --only needs to know whose it drops', async () => {
  const second = await newSigner();
  await writeFile(at('second.key.json'), JSON.stringify(second.jwk), { mode: 0o600 });
  expect((await lock('sign', '--signer', 'second.key.json', ...trust)).stdout).toBe(
    `bundles.lock.json: seq 1, sealed ${signer.keyid}, ${second.keyid}\n`,
  );
  expect(await lock('sign', '--only')).toMatchObject({ code: 1, stderr: expect.stringContaining('--trust') });
});

test('the command of the package has the lock commands of the host too', async () => {
  const { stdout } = await lock('--help');
  for (const name of ['put', 'remove', 'show', 'diff', 'sign', 'reset-seq'])
    expect(stdout).toContain(`  ${name} `);
});
