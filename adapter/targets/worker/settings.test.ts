import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cloudflareConfig } from './config.ts';
import { loadCloudflareSettings } from './settings.ts';

const account = '0123456789abcdef0123456789abcdef';
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cloudflare-settings-'));
});
afterEach(async () => await rm(folder, { recursive: true }));

async function load(token: string, mode = 0o400) {
  await writeFile(join(folder, 'token'), token);
  await chmod(join(folder, 'token'), mode);
  const config = cloudflareConfig.parse({ account, tokenFile: 'token' });
  return await loadCloudflareSettings(config, (path) => join(folder, path));
}

test('the token is read, and no print of the settings has it', async () => {
  const { settings, stamps } = await load('secret-TOKEN_1\n');
  expect(settings?.token()).toBe('secret-TOKEN_1');
  expect(settings?.endpoint).toBe('https://api.cloudflare.com/client/v4');
  expect(JSON.stringify(settings)).not.toContain('secret');
  expect(stamps).toHaveLength(1);
});

test.each([
  ['readable by others', 'secret', 0o644, 'KEY_FILE_EXPOSED'],
  ['empty', '', 0o400, 'CONFIG_INVALID'],
  ['two lines', 'secret\nsecret', 0o400, 'CONFIG_INVALID'],
  ['too long', 's'.repeat(2000), 0o400, 'CONFIG_INVALID'],
])('a token file that is %s', async (_, token, mode, code) => {
  await expect(load(token, mode)).rejects.toMatchObject({
    code,
    message: expect.not.stringContaining('secret'),
  });
});

test.each([
  ['an account that is none', { account: 'acme' }],
  ['plain http to another machine', { endpoint: 'http://192.0.2.1/client/v4' }],
  ['a token in the place of its file', { tokenFile: '{"a":1}' }],
  ['a watch below a second', { watch: '10ms' }],
])('%s is refused', (_, change) => {
  const config = { account, tokenFile: 'token', ...change };
  expect(cloudflareConfig.safeParse(config).success).toBe(false);
});

test('an endpoint on this machine may be plain http', () => {
  const endpoint = 'http://127.0.0.1:8787/client/v4/';
  const config = cloudflareConfig.parse({ account, tokenFile: 'token', endpoint, watch: '5s' });
  expect(config).toMatchObject({ endpoint: 'http://127.0.0.1:8787/client/v4', watch: 5000 });
});
