import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runInFolder } from '../../test/support/command.ts';
import { makeRoleFolder, type RoleFolder } from '../../test/support/role-folder.ts';
import { hasSystemNode } from './find-node.ts';

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
