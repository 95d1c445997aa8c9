import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hostProgram } from '../../adapter/cli/program.ts';
import { runInFolder } from '../../test/support/command.ts';
import { newSigner } from '../../test/support/role-folder.ts';
import { buildCommand } from './build.ts';
import { lockCommand } from './lock/index.ts';

const root = join(import.meta.dirname, '../..');
let folder: string;
const at = (name: string) => join(folder, name);
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'project-')));
  await mkdir(at('node_modules'));
  await symlink(join(root, 'node_modules/esbuild'), at('node_modules/esbuild'));
  await addPackage('1.0.0');
  const plugin = (extra: string) =>
    `import { allow, ipfilter } from 'sftpgo-plugin-serverless/kit';\n${extra}\nexport default ipfilter({ checkIP: () => allow(hold) });\n`;
  await writeFile(at('office.ts'), plugin("import { hold } from 'holding';"));
  await writeFile(
    at('gate.ts'),
    plugin(
      "import { DurableObject } from 'cloudflare:workers'; export class Gate extends DurableObject {}\nimport { hold } from './hold.ts';",
    ),
  );
  await writeFile(at('hold.ts'), "export const hold = { for: '5m' } as const;\n");
  await writeFile(at('package.json'), '{"type":"module"}\n');
  await writeFile(at('.gitignore'), 'node_modules/\nout/\n*.key.json\n');
  await writeFile(
    at('serverless.yml'),
    [
      'service: plugins',
      'custom:',
      '  plugins:',
      '    office: { entry: office.ts, target: lambda }',
      '    gate: { entry: gate.ts, target: worker, config: gate.wrangler.jsonc }',
      '',
    ].join('\n'),
  );
});
afterEach(async () => await rm(folder, { recursive: true }));

async function addPackage(version: string, hold = '5m', place = 'node_modules/holding'): Promise<void> {
  await mkdir(at(place), { recursive: true });
  await writeFile(at(`${place}/package.json`), JSON.stringify({ name: 'holding', version, main: 'i.mjs' }));
  await writeFile(at(`${place}/i.mjs`), `export const hold = { for: '${hold}' };\n`);
}

const run = async (...args: string[]) =>
  await runInFolder(folder, args, undefined, hostProgram([buildCommand(), lockCommand()]));
const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], { cwd: folder });

test('without a file, every function of the project is built for its cloud', async () => {
  const { code, stdout, stderr } = await run('build');
  expect([code, stderr]).toEqual([0, '']);
  expect((await readdir(at('out'))).sort()).toEqual([
    'gate.build.json',
    'gate.worker.mjs',
    'gate.worker.mjs.map',
    'office.build.json',
    'office.lambda.zip',
    'office.lambda.zip.map',
  ]);
  expect(stdout).toMatch(/^out\/office\.lambda\.zip +\d{4,} +\d{4,} +[0-9a-f]{64}$/m);
  const { functions } = JSON.parse((await run('build', '--json')).stdout);
  expect(functions.map(({ name, type }: { name: string; type: string }) => [name, type])).toEqual([
    ['office', 'ipfilter'],
    ['gate', 'ipfilter'],
  ]);
});

test('what is not as committed is named, and is in no manifest', async () => {
  git('init', '-q');
  git('add', '.');
  git('commit', '-qm', 'one');
  expect((await run('build')).stderr).toBe('');
  const clean = await readFile(at('out/office.build.json'), 'utf8');
  await writeFile(at('hold.ts'), "export const hold = { for: '1m' } as const;\n");
  await writeFile(at('unused.ts'), 'export {};\n');
  const { code, stderr } = await run('build');
  expect(code).toBe(0);
  expect(stderr).toContain('warning: not as committed: hold.ts\n');
  expect(await readFile(at('out/office.build.json'), 'utf8')).toBe(clean);
  git('rm', '-q', '--cached', 'hold.ts');
  await writeFile(at('.gitignore'), 'node_modules/\nout/\nhold.ts\n');
  expect((await run('build')).stderr).toContain('not as committed: hold.ts\n');
});

/** A repository with the keys that a lock needs; builds the office and locks it as a version of Lambda. */
async function prepareLock(): Promise<(version: number) => Promise<void>> {
  git('init', '-q');
  const signer = await newSigner();
  await writeFile(at('lock-signer.key.json'), JSON.stringify(signer.jwk), { mode: 0o600 });
  const { kty, crv, x } = signer.jwk;
  const other = (await newSigner()).jwk;
  await writeFile(at('office.jwks.json'), JSON.stringify({ keys: [{ kty, crv, x: other.x }] }));
  expect(x).not.toBe(other.x);
  return async (version) => {
    expect((await run('build')).code).toBe(0);
    const arn = `arn:aws:lambda:eu-central-1:123456789012:function:office:${version}`;
    expect(await run('lock', 'put', 'office', '--lambda', arn)).toMatchObject({ code: 0 });
  };
}

test('a dependency that changed shows in lock diff by its name', async () => {
  const lock = await prepareLock();
  await lock(1);
  git('add', '.');
  git('commit', '-qm', 'one');
  await addPackage('1.1.0', '4m');
  await lock(2);
  const updated = (await run('lock', 'diff')).stdout;
  expect(updated).toMatch(/^ {2}~ input holding: 1\.0\.0 → 1\.1\.0$/m);
  expect(updated.match(/^ {2}. input/gm)).toHaveLength(1);
  git('commit', '-qam', 'two');
  await addPackage('1.1.0', '3m');
  await lock(3);
  expect((await run('lock', 'diff')).stdout).toMatch(
    /^ {2}~ input holding: 1\.1\.0, files [0-9a-f]{12}… → 1\.1\.0, files [0-9a-f]{12}…$/m,
  );
  git('commit', '-qam', 'three');
  await writeFile(
    at('office.ts'),
    (await readFile(at('office.ts'), 'utf8')).replace("'holding'", "'./hold.ts'"),
  );
  await lock(4);
  expect((await run('lock', 'diff')).stdout).toMatch(/^ {2}- input holding: 1\.1\.0$/m);
});

test('of a package that is installed twice, the copy that changed shows in lock diff by its name', async () => {
  const lock = await prepareLock();
  const source = await readFile(at('office.ts'), 'utf8');
  const both = "import { hold } from 'holding';\nimport { soon } from 'other';";
  const text = source
    .replace("import { hold } from 'holding';", both)
    .replace('hold)', "hold.for === '1m' ? soon : hold)");
  await writeFile(at('office.ts'), text);
  await mkdir(at('node_modules/other'));
  await writeFile(at('node_modules/other/package.json'), '{"name":"other","version":"2.0.0","main":"i.mjs"}');
  await writeFile(at('node_modules/other/i.mjs'), "export { hold as soon } from 'holding';\n");
  await addPackage('1.0.0', '2m', 'node_modules/other/node_modules/holding');
  await lock(1);
  git('add', '.');
  git('commit', '-qm', 'one');
  await addPackage('1.0.0', '3m', 'node_modules/other/node_modules/holding');
  await lock(2);
  const { stdout } = await run('lock', 'diff');
  expect(stdout).toMatch(
    /^ {2}~ input holding: 1\.0\.0, files [0-9a-f]{12}… → 1\.0\.0, files [0-9a-f]{12}…$/m,
  );
  expect(stdout.match(/^ {2}. input/gm)).toHaveLength(1);
});

test('a bundle that was changed after the build is not locked', async () => {
  const signer = await newSigner();
  await writeFile(at('lock-signer.key.json'), JSON.stringify(signer.jwk), { mode: 0o600 });
  await run('build');
  const zip = await readFile(at('out/office.lambda.zip'));
  zip[40] = Number(zip[40]) ^ 1;
  await writeFile(at('out/office.lambda.zip'), zip);
  const arn = 'arn:aws:lambda:eu-central-1:123456789012:function:office:1';
  expect(await run('lock', 'put', 'office', '--lambda', arn)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /office\.lambda\.zip is not what `build` made of office: SHA-256 [0-9a-f]{64}/,
    ),
  });
  expect(await readdir(folder)).not.toContain('bundles.lock.json');
});
