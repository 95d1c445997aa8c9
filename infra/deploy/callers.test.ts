import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newKey, publicOf } from '../../test/support/keys.ts';
import { readCallers } from './callers.ts';

let file: string;
beforeEach(async () => (file = join(await mkdtemp(join(tmpdir(), 'callers-')), 'adapter.jwks.json')));
afterEach(async () => await rm(join(file, '..'), { recursive: true }));

const env = { PLUGIN_CALLERS: 'from the environment' };

test('the keys of the file, without what makes two files of the same keys differ', async () => {
  const key = publicOf(newKey());
  await writeFile(file, JSON.stringify({ keys: [{ kid: 'a', ...key, use: 'sig' }] }), { mode: 0o644 });
  expect(await readCallers(file, { isNamed: false, env })).toBe(JSON.stringify({ keys: [key] }));
});

test('without the file the environment says it, or else the settings of each function', async () => {
  expect(await readCallers(file, { isNamed: false, env })).toBe('from the environment');
  expect(await readCallers(file, { isNamed: false, env: {} })).toBeUndefined();
  expect(await readCallers(file, { isNamed: false, env: { PLUGIN_CALLERS: '' } })).toBeUndefined();
});

test('a file that was asked for must be there, and comes from the SFTPGo machine', async () => {
  await expect(readCallers(file, { isNamed: true, env })).rejects.toMatchObject({
    code: 'KEY_FILE_INVALID',
    remedy: expect.stringContaining('from the SFTPGo machine'),
  });
});

test('a file that is no set of public keys is not left out silently', async () => {
  await writeFile(file, JSON.stringify({ keys: [newKey()] }), { mode: 0o644 });
  await expect(readCallers(file, { isNamed: false, env })).rejects.toMatchObject({
    code: 'KEY_FILE_INVALID',
  });
});
