import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { newKey, publicOf } from '../../test/support/keys.ts';
import { readPrivateKey, readPublicKeys } from './key-files.ts';
import { type Exposure, readTextFile, stampOf } from './read-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'read-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function file(text: string | Uint8Array, mode = 0o600): string {
  files += 1;
  const path = join(folder, `file-${files}`);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

const read = (path: string, exposure: Exposure = 'public', maxBytes = 1000) =>
  readTextFile(path, { code: 'CONFIG_INVALID', what: 'the file', exposure, maxBytes });

test.each([
  ['public', 0o600, true],
  ['public', 0o644, true],
  ['public', 0o444, true],
  ['public', 0o664, false],
  ['public', 0o666, false],
  ['public', 0o646, false],
  ['secret', 0o400, true],
  ['secret', 0o600, true],
  ['secret', 0o640, true],
  ['secret', 0o440, true],
  ['secret', 0o644, false],
  ['secret', 0o604, false],
  ['secret', 0o660, false],
  ['secret', 0o620, false],
  ['secret', 0o602, false],
] as const)('a %s file with mode 0%o is read: %s', async (exposure, mode, taken) => {
  const path = file('text', mode);
  if (taken) {
    await expect(read(path, exposure)).resolves.toMatchObject({ text: 'text' });
  } else {
    await expect(read(path, exposure)).rejects.toMatchObject({
      code: exposure === 'secret' ? 'KEY_FILE_EXPOSED' : 'CONFIG_INVALID',
      happened: `the file ${path} has mode 0${mode.toString(8)}`,
      remedy: `Run: chmod ${exposure === 'secret' ? '0400' : '0644'} ${path}`,
    });
  }
});

test('a symlink is followed, and the mode of its target counts', async () => {
  const [open, closed] = [file('open', 0o666), file('closed', 0o600)];
  for (const [name, target] of Object.entries({ open, closed })) symlinkSync(target, join(folder, name));
  await expect(read(join(folder, 'closed'), 'secret')).resolves.toMatchObject({ text: 'closed' });
  await expect(read(join(folder, 'open'), 'secret')).rejects.toMatchObject({ code: 'KEY_FILE_EXPOSED' });
});

test('a FIFO, a device and a folder are refused at once', async () => {
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', ['-m', '600', fifo]);
  for (const path of [fifo, '/dev/zero', '/dev/null', folder]) {
    await expect(read(path)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      happened: `the file ${path} is not a regular file`,
    });
  }
});

test('a file is read up to its limit, and no further', async () => {
  await expect(read(file('x'.repeat(1000)))).resolves.toMatchObject({ text: 'x'.repeat(1000) });
  const path = file('x'.repeat(1001));
  await expect(read(path)).rejects.toMatchObject({
    happened: `the file ${path} is 1001 bytes long`,
    expected: 'a regular file of at most 1000 bytes',
  });
});

test('a file that says it is empty and is not, as those of /proc, is limited too', async () => {
  await expect(read('/proc/self/status', 'public', 100_000)).resolves.toMatchObject({
    text: expect.stringContaining('VmRSS'),
  });
  await expect(read('/proc/self/status', 'public', 10)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});

test('a missing file names the remedy', async () => {
  await expect(read('/nowhere/serverless.yaml')).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message:
      'the file /nowhere/serverless.yaml cannot be read (ENOENT); expected a file that the SFTPGo user can read. ' +
      'Create it, or correct the path.',
  });
});

test('the stamp shows a change that keeps name, size and modification time', async () => {
  const path = file('one');
  utimesSync(path, 1_000_000, 1_000_000);
  const { stamp } = await read(path).then((result) => result.stamp);
  expect(stampOf(await stat(path))).toBe(stamp);
  await new Promise((resolve) => setTimeout(resolve, 20));
  writeFileSync(path, 'two');
  utimesSync(path, 1_000_000, 1_000_000);
  expect(stampOf(await stat(path))).not.toBe(stamp);
});

const key = newKey();

test('a private key', async () => {
  await expect(readPrivateKey(file(JSON.stringify({ ...key, kid: 'ignored' })))).resolves.toMatchObject({
    jwk: key,
  });
  await expect(readPrivateKey(file(JSON.stringify(key), 0o644))).rejects.toMatchObject({
    code: 'KEY_FILE_EXPOSED',
  });
});

test.each([
  ['no JSON', `${key.d} is the key`],
  ['no key', JSON.stringify([key.d])],
  ['another kind of key', JSON.stringify({ ...key, crv: 'X25519' })],
  ['a public key', JSON.stringify(publicOf(key))],
  ['half a key', JSON.stringify({ ...key, d: key.d.slice(1) })],
  ['another spelling of a key', JSON.stringify({ ...key, x: `${key.x.slice(0, -1)}_` })],
  ['two halves of different keys', JSON.stringify({ ...key, x: newKey().x })],
])('%s in place of a private key: the file is named, the key is not', async (_, text) => {
  const path = file(text);
  const error = await readPrivateKey(path).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'KEY_FILE_INVALID', happened: expect.stringContaining(path) });
  expect(JSON.stringify([error, Object(error).message, String(Object(error).cause)])).not.toContain(
    key.d.slice(1, 20),
  );
});

test('a set of public keys', async () => {
  const keys = [publicOf(key), publicOf(newKey())];
  const path = file(JSON.stringify({ keys: keys.map((jwk) => ({ ...jwk, kid: 'a', use: 'sig' })) }), 0o644);
  await expect(readPublicKeys(path, 'the trust file', 'CONFIG_INVALID')).resolves.toMatchObject({ keys });
});

test.each([
  ['a private key among them', { keys: [key] }],
  ['one key alone', publicOf(key)],
  ['no key', { keys: [] }],
])('%s: refused with the code of the file', async (_, json) => {
  const path = file(JSON.stringify(json));
  await expect(readPublicKeys(path, 'the trust file', 'CONFIG_INVALID')).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    happened: expect.stringContaining(`the trust file ${path}`),
  });
});
