import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { head } from './head.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'head-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function program(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  await chmod(path, 0o755);
  return path;
}

/** Stands in for Node: says this version, refuses the flags it does not know, and tells how it was started. */
const nodeThatSays = (version: string, refused = '') =>
  program(
    `node-${version}`,
    `#!/bin/sh
case "$*" in
  *"${refused || 'no such text'}"*) exit 9;;
  *--version) echo ${version};;
  *) echo "${version} $MALLOC_ARENA_MAX $*";;
esac`,
  );

async function started(env: Readonly<Record<string, string>>): Promise<string> {
  const executable = await program('executable', head);
  const { stdout } = await promisify(execFile)(executable, ['serve', '--config', 'a b'], { env });
  return stdout.replace(executable, 'FILE').trim();
}

const flags = '--max-semi-space-size=16 --no-parallel-scavenge';

test('the Node that the environment names becomes the plugin, its heap bounded', async () => {
  const env = { SFTPGO_PLUGIN_SERVERLESS_NODE: await nodeThatSays('v24.0.0') };
  expect(await started(env)).toBe(`v24.0.0 1 ${flags} FILE serve --config a b`);
});

test('what an operator says of the heap of glibc stays', async () => {
  const env = { SFTPGO_PLUGIN_SERVERLESS_NODE: await nodeThatSays('v24.0.0'), MALLOC_ARENA_MAX: '4' };
  expect(await started(env)).toBe(`v24.0.0 4 ${flags} FILE serve --config a b`);
});

test('a later Node that has dropped a flag starts without them', async () => {
  const env = { SFTPGO_PLUGIN_SERVERLESS_NODE: await nodeThatSays('v40.0.0', 'no-parallel-scavenge') };
  expect(await started(env)).toBe('v40.0.0 1 FILE serve --config a b');
});

test('one that is too old is passed over for the one in PATH', async () => {
  const old = await nodeThatSays('v20.9.0');
  await program('node', `#!/bin/sh\nexec ${await nodeThatSays('v22.1.0')} "$@"`);
  const env = { SFTPGO_PLUGIN_SERVERLESS_NODE: old, PATH: `${folder}:/usr/bin:/bin` };
  expect(await started(env)).toBe(`v22.1.0 1 ${flags} FILE serve --config a b`);
});
