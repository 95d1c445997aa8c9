import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hostProgram } from '../../adapter/cli/program.ts';
import { runInFolder } from '../../test/support/command.ts';
import { newKey, publicOf } from '../../test/support/keys.ts';
import { newSigner } from '../../test/support/role-folder.ts';
import { buildCommand } from './build.ts';
import { deployCommand } from './deploy.ts';

const root = join(import.meta.dirname, '../..');
let folder: string;
const at = (name: string) => join(folder, name);
const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], { cwd: folder });
const run = async (...args: string[]) =>
  await runInFolder(folder, args, undefined, hostProgram([buildCommand(), deployCommand()]));
const write = async (name: string, text: string) => await writeFile(at(name), text);

/** Two functions, built and committed. The project has no osls: there a deployment ends that is not refused before. */
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'project-')));
  await mkdir(at('node_modules'));
  await symlink(join(root, 'node_modules/esbuild'), at('node_modules/esbuild'));
  const kit = "import { allow, ipfilter } from 'sftpgo-plugin-serverless/kit';";
  await write('hold.ts', "export const hold = '5m';\n");
  await write('places.mmdb', 'places');
  await write(
    'office.ts',
    `${kit}\nimport { hold } from './hold.ts';\nimport places from './places.mmdb';\nexport default ipfilter({ checkIP: () => allow({ for: places.length > 1 ? hold : '1m' }) });\n`,
  );
  await write('gate.ts', `${kit}\nexport default ipfilter({ checkIP: () => allow() });\n`);
  await write('package.json', '{"type":"module"}\n');
  await write('.gitignore', 'node_modules/\nout/\n*.key.json\n*.jwks.json\n');
  await write('gate.wrangler.jsonc', '{}\n');
  const functions = [
    'office: { entry: office.ts, target: lambda }',
    'gate: { entry: gate.ts, target: worker, config: gate.wrangler.jsonc }',
  ];
  await write('serverless.yml', `custom:\n  plugins:\n    ${functions.join('\n    ')}\n`);
  await writeFile(at('lock-signer.key.json'), JSON.stringify((await newSigner()).jwk), { mode: 0o600 });
  await write('adapter.jwks.json', JSON.stringify({ keys: [publicOf(newKey())] }));
  expect((await run('build')).code).toBe(0);
});
afterEach(async () => await rm(folder, { recursive: true }));

function commit(): void {
  git('init', '-q');
  git('add', '.');
  git('commit', '-qm', 'one');
}

const toolMissing = /error TOOL_MISSING: (?:osls|wrangler) is not installed/;
const passed = { code: 1, stderr: expect.stringMatching(toolMissing) };
const refused = (happened: string) => ({
  code: 1,
  stderr: expect.stringContaining(`error INPUT_INVALID: ${happened}\n`),
});

test('what is committed is deployed, whatever else is not, and without git all is', async () => {
  expect(await run('deploy')).toMatchObject(passed);
  commit();
  await write('unused.ts', 'export {};\n');
  const { stderr } = await run('deploy');
  expect(stderr).toMatch(toolMissing);
  expect(stderr).not.toContain('warning');
});

test.each([
  ['a module of which a constant is left', 'hold.ts', "export const hold = '1m';\n"],
  ['a database', 'places.mmdb', 'others'],
  ['package.json', 'package.json', '{"type":"module","private":true}\n'],
  ['a new package-lock.json', 'package-lock.json', '{}\n'],
  [
    'serverless.yml',
    'serverless.yml',
    'custom: { plugins: { office: { entry: office.ts, target: lambda } } }\n',
  ],
  ['the configuration of a Worker', 'gate.wrangler.jsonc', '{ "name": "gate" }\n'],
])('%s that is not as committed: refused by name, built again or not', async (_, name, text) => {
  commit();
  git('config', 'status.showUntrackedFiles', 'no');
  await write(name, text);
  expect(await run('deploy')).toMatchObject(refused(`not as committed: ${name}`));
  expect((await run('build')).code).toBe(0);
  expect(await run('deploy')).toMatchObject(refused(`not as committed: ${name}`));
  git('add', '.');
  git('commit', '-qm', 'two');
  expect(await run('deploy')).toMatchObject(passed);
});

test('--allow-dirty deploys it nevertheless, --dry-run only looks, and both warn', async () => {
  commit();
  await write('hold.ts', "export const hold = '1m';\n");
  for (const option of ['--allow-dirty', '--dry-run']) {
    const { stderr } = await run('deploy', option);
    expect(stderr).toContain('warning: not as committed: hold.ts\n');
    expect(stderr).toMatch(toolMissing);
  }
});

test('only the functions count that are deployed', async () => {
  commit();
  await write('hold.ts', "export const hold = '1m';\n");
  expect(await run('deploy', 'gate')).toMatchObject(passed);
  expect(await run('deploy', 'office')).toMatchObject(refused('not as committed: hold.ts'));
});

test('a build of something else than what is committed now is refused, also in a clean tree', async () => {
  commit();
  await write('hold.ts', "export const hold = '1m';\n");
  await run('build');
  git('checkout', '-q', 'hold.ts');
  expect(await run('deploy')).toMatchObject(refused('other than what was built: hold.ts'));
  await run('build');
  await write('hold.ts', "export const hold = '2m';\n");
  git('commit', '-qam', 'two');
  expect(await run('deploy')).toMatchObject(refused('other than what was built: hold.ts'));
  git('rm', '-q', 'hold.ts');
  expect(await run('deploy')).toMatchObject(refused('other than what was built: hold.ts'));
});

test('a build of which nobody knows what it was made from is refused', async () => {
  commit();
  await rm(at('out/gate.worker.mjs.map'));
  expect(await run('deploy')).toMatchObject(
    refused('nobody knows what they were made from: out/gate.worker.mjs'),
  );
  expect(await run('deploy', 'office')).toMatchObject(passed);
});

test('--resume deploys no build, and looks at none', async () => {
  commit();
  await write('hold.ts', "export const hold = '1m';\n");
  expect(await run('deploy', '--resume')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('error LOCK_INVALID: there is no bundles.lock.json'),
  });
});
