import { readFile, writeFile } from 'node:fs/promises';
import { basename, relative } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { sha256Hex } from '../../proto/lock/digest.ts';
import { sealLock } from '../../proto/lock/seal.ts';
import { lockedFunction } from '../../test/support/invoke.ts';
import { publicOf } from '../../test/support/keys.ts';
import { lockWith, makeRoleFolder, newSigner, type RoleFolder } from '../../test/support/role-folder.ts';
import { createCertificate } from '../goplugin/server/certificate.ts';
import { loadRole } from './load-role.ts';

let folder: RoleFolder;
beforeEach(async () => {
  folder = await makeRoleFolder('https://functions.example.com/office/');
});
afterEach(async () => {
  vi.useRealTimers();
  await folder.remove();
});

const load = (seqInForce = 0) => loadRole(folder.configPath, 'ipfilter', { seq: seqInForce });
const digest = async () => {
  const { payload } = JSON.parse(await readFile(folder.at('bundles.lock.json'), 'utf8'));
  return sha256Hex(Buffer.from(payload, 'base64url'));
};
const past = '2026-02-01T00:00:00Z';

test('everything a role needs, from paths relative to the configuration', async () => {
  const files = await loadRole(relative(process.cwd(), folder.configPath), 'ipfilter');
  expect(files).toMatchObject({
    functionName: 'office@live',
    locked: { address: 'https://functions.example.com/office/', keys: [publicOf(folder.functionKey)] },
    seq: 1,
    lockExpires: undefined,
    onExpired: 'serve',
    caPem: undefined,
  });
  expect(files.stamps.map(({ path }) => basename(path))).toEqual([
    'serverless.yaml',
    'adapter.key.json',
    'signers.jwks.json',
    'bundles.lock.json',
  ]);
});

test('the CA file is read too', async () => {
  const { certPem } = createCertificate();
  await folder.write('ca.pem', certPem);
  await folder.configure([], ['https: { ca: ca.pem }']);
  expect(await load()).toMatchObject({ caPem: certPem, stamps: { length: 5 } });
});

test('a function that is not in the lock: the nearest one is named', async () => {
  await folder.configure();
  const config = await readFile(folder.configPath, 'utf8');
  await folder.write('serverless.yaml', config.replace('use: office', 'use: offcie'));
  await expect(load()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message:
      `${folder.configPath}: ipfilter.use names offcie@live, which is not in ${folder.at('bundles.lock.json')}; ` +
      'expected one of office@live. Did you mean "office@live"?',
  });
});

test('a function of another type is not taken', async () => {
  await folder.lock({}, { type: 'auth' });
  await expect(load()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    happened: expect.stringContaining('office@live, which is a auth function'),
    expected: 'a lock with a function of type ipfilter',
  });
});

test('a configuration without the section that SFTPGo starts', async () => {
  const config = await readFile(folder.configPath, 'utf8');
  await folder.write('serverless.yaml', config.slice(0, config.indexOf('ipfilter:')));
  await expect(load()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    happened: expect.stringContaining('has no section "ipfilter"'),
  });
});

test.each([
  ['serverless.yaml', 0o666, 'CONFIG_INVALID'],
  ['adapter.key.json', 0o644, 'KEY_FILE_EXPOSED'],
  ['signers.jwks.json', 0o664, 'CONFIG_INVALID'],
  ['bundles.lock.json', 0o622, 'LOCK_INVALID'],
])('%s with mode 0%o is refused: %s', async (name, mode, code) => {
  await folder.write(name, await readFile(folder.at(name), 'utf8'), mode);
  await expect(load()).rejects.toMatchObject({ code, happened: expect.stringContaining(folder.at(name)) });
});

test('a lock of another signer is refused, until the trust file has its key', async () => {
  const stranger = await newSigner();
  const office = lockedFunction('https://functions.example.com', folder.functionKey);
  await folder.write('bundles.lock.json', await sealLock(lockWith({ 'office@live': office }), [stranger]));
  await expect(load()).rejects.toMatchObject({ code: 'LOCK_INVALID' });
  await folder.write('signers.jwks.json', JSON.stringify({ keys: [publicOf(stranger.jwk)] }));
  await expect(load()).resolves.toMatchObject({ seq: 1 });
});

test('trust.threshold is what the configuration says', async () => {
  const config = await readFile(folder.configPath, 'utf8');
  await folder.write(
    'serverless.yaml',
    config.replace('signers.jwks.json', 'signers.jwks.json, threshold: 2'),
  );
  await expect(load()).rejects.toMatchObject({
    code: 'LOCK_INVALID',
    expected: 'at least 2 (trust.threshold)',
  });
});

test('a lock with a lower seq than the one in force is refused, an equal one is not', async () => {
  await folder.lock({ seq: 4 });
  await expect(load(5)).rejects.toMatchObject({
    code: 'LOCK_ROLLBACK',
    happened: expect.stringContaining('has seq 4, but 5 was accepted before'),
  });
  await expect(load(4)).resolves.toMatchObject({ seq: 4 });
});

test('the state folder remembers over a restart', async () => {
  await folder.configure([], ['state: state']);
  await folder.lock({ seq: 7 });
  await load();
  await folder.lock({ seq: 6 });
  await expect(load()).rejects.toMatchObject({ code: 'LOCK_ROLLBACK' });
  await folder.lock({ seq: 8 });
  await load();
  expect(JSON.parse(await readFile(folder.at('state/ipfilter.lock-seq.json'), 'utf8'))).toEqual({
    seq: 8,
    digest: await digest(),
  });
});

test('a refused lock is not remembered', async () => {
  await folder.configure([], ['state: state']);
  await folder.lock({ seq: 9, expires: past });
  await expect(load()).rejects.toMatchObject({ code: 'LOCK_INVALID' });
  await folder.lock({ seq: 2 });
  await expect(load()).resolves.toMatchObject({ seq: 2 });
});

test('a damaged state file or an unusable folder is an error: an old lock could come back unnoticed', async () => {
  await folder.configure([], ['state: state']);
  await load();
  await writeFile(folder.at('state/ipfilter.lock-seq.json'), '{');
  await expect(load()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    happened: expect.stringContaining('ipfilter.lock-seq.json cannot be used'),
  });
  await folder.configure([], ['state: adapter.key.json']);
  await expect(load()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});

test('an expired lock is served if it was accepted before, and refused if it is new', async () => {
  await folder.configure([], ['state: state']);
  await folder.lock({ seq: 3, expires: past });
  await expect(load()).rejects.toMatchObject({
    code: 'LOCK_INVALID',
    happened: expect.stringContaining(`expired at ${past}`),
  });
  await expect(load(3)).resolves.toMatchObject({ seq: 3, lockExpires: past });
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-01-15T00:00:00Z') });
  await load();
  vi.useRealTimers();
  await expect(load()).resolves.toMatchObject({ seq: 3 });
  await folder.lock({ seq: 4, expires: past });
  await expect(load()).rejects.toMatchObject({ code: 'LOCK_INVALID' });
});

test('onExpired: refuse refuses what was accepted before too', async () => {
  const config = await readFile(folder.configPath, 'utf8');
  await folder.write(
    'serverless.yaml',
    config.replace('bundles.lock.json', 'bundles.lock.json, onExpired: refuse'),
  );
  await folder.lock({ seq: 3, expires: past });
  await expect(load(3)).rejects.toMatchObject({ code: 'LOCK_INVALID' });
});

test('a lock of more than 4 MiB is not read', async () => {
  await folder.write('bundles.lock.json', ' '.repeat(4 * 1024 * 1024 + 1));
  await expect(load()).rejects.toMatchObject({
    code: 'LOCK_INVALID',
    expected: 'a regular file of at most 4194304 bytes',
  });
});
