import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import { sealLock } from '../../../proto/lock/seal.ts';
import { runInFolder } from '../../../test/support/command.ts';
import { lockedFunction } from '../../../test/support/invoke.ts';
import { newKey } from '../../../test/support/keys.ts';
import { lockWith, makeRoleFolder, type RoleFolder } from '../../../test/support/role-folder.ts';
import { hasSystemNode } from '../find-node.ts';

let folder: RoleFolder;
const content = '#!/bin/sh\n';
const digest = createHash('sha256').update(content).digest('hex');

beforeEach(async () => {
  folder = await makeRoleFolder('https://functions.example.com');
  await folder.write('sftpgo-plugin-serverless', content, 0o755);
});
afterEach(async () => await folder.remove());

const hostConfig = async (...args: string[]) =>
  await runInFolder(
    folder.path,
    ['host-config', '--config', 'serverless.yaml', ...args],
    folder.at('sftpgo-plugin-serverless'),
  );

test.each([[[]], [['--json']]])('with %j: the plugins key of sftpgo.json', async (args) => {
  const { code, stdout, stderr } = await hostConfig(...args);
  expect(code).toBe(0);
  const systemNode = await hasSystemNode();
  expect(JSON.parse(stdout)).toEqual({
    plugins: [
      {
        type: 'ipfilter',
        cmd: folder.at('sftpgo-plugin-serverless'),
        args: ['serve', '--config', folder.configPath],
        sha256sum: digest,
        auto_mtls: true,
        env_prefix: systemNode ? 'none' : 'SFTPGO_PLUGIN_SERVERLESS_',
      },
    ],
  });
  expect(stderr.includes('SFTPGO_PLUGIN_SERVERLESS_NODE')).toBe(!systemNode);
});

test('--env: one variable a line, numbered from --first', async () => {
  const { stdout } = await hostConfig('--env', '--first', '2');
  expect(stdout.trimEnd().split('\n').slice(0, 5)).toEqual([
    'SFTPGO_PLUGINS__2__TYPE=ipfilter',
    `SFTPGO_PLUGINS__2__CMD=${folder.at('sftpgo-plugin-serverless')}`,
    `SFTPGO_PLUGINS__2__ARGS=serve,--config,${folder.configPath}`,
    `SFTPGO_PLUGINS__2__SHA256SUM=${digest}`,
    'SFTPGO_PLUGINS__2__AUTO_MTLS=true',
  ]);
});

test.each([
  ['a number that is none', ['--env', '--first', 'two']],
  ['both forms at once', ['--json', '--env']],
])('%s is refused, and stdout stays empty', async (_, args) => {
  const { code, stdout, stderr } = await hostConfig(...args);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^error: /);
});

test('a wrong configuration: its place on stderr, nothing on stdout', async () => {
  await folder.configure(['onUnavailble: deny']);
  const { code, stdout, stderr } = await hostConfig();
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain('serverless.yaml:6:3 has an unknown key "ipfilter.onUnavailble"');
  expect(stderr).toContain('Did you mean "onUnavailable"?');
});

describe('every type', () => {
  const handles: Readonly<Record<string, readonly string[]>> = {
    auth: ['CheckUserAndPass', 'CheckUserAndPublicKey'],
    kms: ['Encrypt', 'Decrypt'],
    notifier: ['SendFsEvent'],
    metadata: ['GetModificationTime'],
    ipfilter: ['CheckIP'],
    eventsearcher: ['SearchFsEvents'],
  };

  async function configure(types: readonly string[], lines: Readonly<Record<string, string>> = {}) {
    const functions = Object.entries(handles).map(([type, rpcs]) => {
      const key = newKey();
      const entry = { ...lockedFunction('https://functions.example.com', key), type, handles: [...rpcs] };
      return [`my-${type}@live`, entry as LockedFunction];
    });
    const lock = lockWith(Object.fromEntries(functions));
    await folder.write('bundles.lock.json', await sealLock(lock, [folder.signer]));
    await folder.write(
      'serverless.yaml',
      [
        'identity: adapter.key.json',
        'lock: { file: bundles.lock.json }',
        'trust: { file: signers.jwks.json }',
        ...types.map((type) => `${type}: { use: my-${type}, ${lines[type] ?? ''} }`),
        '',
      ].join('\n'),
    );
  }

  const notifier = { notifier: 'instance: node1, events: { fs: [upload, delete] }' };
  const current = ['auth', 'ipfilter', 'kms', 'notifier', 'eventsearcher'];

  async function entriesOf(...args: string[]) {
    const { code, stdout, stderr } = await hostConfig(...args);
    expect([code, stderr.includes('error')]).toEqual([0, false]);
    return JSON.parse(stdout).plugins as Readonly<Record<string, unknown>>[];
  }

  test('one entry a section, with the options of its type', async () => {
    await configure(current, notifier);
    const entries = await entriesOf();
    expect(entries.map(({ type }) => type)).toEqual(current);
    expect(
      entries.map(({ type, ...rest }) => Object.keys(rest).filter((key) => key.endsWith('_options'))),
    ).toEqual([['auth_options'], [], ['kms_options'], ['notifier_options'], []]);
    expect(entries).toMatchObject([
      { auth_options: { scope: 3 } },
      { auto_mtls: true, sha256sum: digest },
      { kms_options: { scheme: 'awskms', encrypted_status: 'AWS' } },
      {
        notifier_options: {
          fs_events: ['upload', 'delete'],
          provider_events: [],
          provider_objects: [],
          log_events: [],
          retry_max_time: 86_400,
          retry_queue_max_size: 100_000,
        },
      },
      { cmd: folder.at('sftpgo-plugin-serverless') },
    ]);
  });

  test('--env: the options of a type are variables too', async () => {
    await configure(['auth', 'kms', 'notifier'], notifier);
    const { stdout } = await hostConfig('--env', '--first', '7');
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining([
        'SFTPGO_PLUGINS__7__AUTH_OPTIONS__SCOPE=3',
        'SFTPGO_PLUGINS__8__KMS_OPTIONS__SCHEME=awskms',
        'SFTPGO_PLUGINS__8__KMS_OPTIONS__ENCRYPTED_STATUS=AWS',
        'SFTPGO_PLUGINS__9__NOTIFIER_OPTIONS__FS_EVENTS=upload,delete',
        'SFTPGO_PLUGINS__9__NOTIFIER_OPTIONS__PROVIDER_EVENTS=',
      ]),
    );
    expect((await hostConfig('--env', '--first', '8')).stderr).toContain('error INPUT_INVALID');
  });

  test.each([
    ['2.6.0', 'metadata', '>=2.2.2 <2.6.0'],
    ['2.7.5', 'metadata', '>=2.2.2 <2.6.0'],
    ['2.2.1', 'metadata', '>=2.2.2 <2.6.0'],
    ['2.2.3', 'ipfilter', '>=2.3.0'],
    ['2.2.1', 'auth', '>=2.2.2'],
  ])('SFTPGo %s has no %s for us', async (version, type, range) => {
    await configure([type]);
    const { code, stdout, stderr } = await hostConfig('--sftpgo-version', version);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`error CONFIG_INVALID: SFTPGo ${version} cannot use the section "${type}"`);
    expect(stderr).toContain(range);
  });

  test('SFTPGo 2.5.6 has metadata, and no env_prefix', async () => {
    await configure(['metadata', 'ipfilter']);
    const entries = await entriesOf('--sftpgo-version', '2.5.6');
    expect(entries.map(({ type }) => type)).toEqual(['ipfilter', 'metadata']);
    expect(entries.flatMap((entry) => Object.keys(entry))).not.toContain('env_prefix');
    expect((await entriesOf()).every((entry) => 'env_prefix' in entry)).toBe(true);
  });

  test('metadata without a release named: a remark that the newest do not start with it', async () => {
    await configure(['metadata']);
    expect((await hostConfig()).stderr).toContain(
      'SFTPGo 2.6.0 and later do not start with an entry of type',
    );
    expect((await hostConfig('--sftpgo-version', '2.5.6')).stderr).not.toContain('do not start');
  });

  test('a kms scheme that the release does not know', async () => {
    await configure(['kms'], { kms: 'scheme: ocikeyvault' });
    expect((await hostConfig('--sftpgo-version', '2.6.2')).stderr).toContain(
      'error CONFIG_INVALID: SFTPGo 2.6.2',
    );
    expect(await entriesOf('--sftpgo-version', '2.6.3')).toMatchObject([
      { kms_options: { scheme: 'ocikeyvault', encrypted_status: 'OracleKeyVault' } },
    ]);
    expect((await hostConfig()).stderr).toContain('when its kms.secrets.url begins with ocikeyvault');
  });

  test.each(['2.6', 'newest'])('--sftpgo-version %s is no release', async (version) => {
    const { code, stderr } = await hostConfig('--sftpgo-version', version);
    expect([code, stderr]).toEqual([1, expect.stringContaining('expected a release, as 2.6.3')]);
  });

  test('scope and events come from the lock: one with a broken seal, or without the function, is refused', async () => {
    await configure(['auth']);
    await folder.write('serverless.yaml', await editedConfig('my-auth', 'my-kms'));
    expect((await hostConfig()).stderr).toContain('auth.use names my-kms@live, which is a kms function');
    await configure(['notifier'], notifier);
    await folder.write('bundles.lock.json', '{}');
    expect((await hostConfig()).stderr).toContain('error LOCK_INVALID');
  });

  test('a lock that has expired still tells what a function handles', async () => {
    const entry = { type: 'auth' as const, handles: ['CheckUserAndTLSCert'] };
    await folder.lock({ expires: '2026-01-02T00:00:00Z' }, entry);
    await folder.write(
      'serverless.yaml',
      (await editedConfig('ipfilter:', 'auth:')).replace('my-auth', 'office'),
    );
    expect(await entriesOf()).toMatchObject([{ auth_options: { scope: 8 } }]);
  });

  async function editedConfig(text: string, by: string) {
    return (await readFile(folder.configPath, 'utf8')).replace(text, by);
  }
});
