import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CommandStep, type FileStep, missingLine, stepsOf } from './blocks.ts';
import { copyCheckout, packIn } from './pack.ts';
import { openTerminal, type Terminal } from './terminal.ts';

const root = join(import.meta.dirname, '../..');
/** In the order in which somebody reads them: each goes on where the one before ended. */
const pages = ['README.md', 'docs/plugins.md', 'docs/lock.md', 'docs/ipfilter.md'];

let folder: string;
let checkout: string;
let project: string;
let tarball: string;
let terminal: Terminal;
/** The steps of each page. */
const journeys = pages.map((page) => ({ page, steps: stepsOf(withoutAccount(page)) }));
/** The pages use fixed ports; here others are free. */
const ports = new Map<number, number>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'journey-'));
  checkout = join(folder, 'checkout');
  project = join(folder, 'office');
  await mkdir(checkout);
  await mkdir(project);
  for (const { steps } of journeys) {
    for (const step of steps) {
      if (step.kind === 'command' && step.port !== undefined) ports.set(step.port, await freePort());
    }
  }
  await copyCheckout(checkout);
  tarball = await packIn(checkout);
  terminal = await openTerminal(project);
});

afterAll(async () => {
  await terminal?.close();
  await rm(folder, { recursive: true, force: true });
});

describe('the package', () => {
  const list = () => execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
  const manifest = () =>
    JSON.parse(execFileSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' }));

  test('has what it promises, and nothing of the checkout', () => {
    const files = list();
    for (const name of ['dist/cli.js', 'dist/sftpgo-plugin-serverless', 'dist/adapter.schema.json']) {
      expect(files).toContain(`package/${name}`);
    }
    const targets = Object.values<string | Record<string, string>>(manifest().exports).flatMap((entry) =>
      typeof entry === 'string' ? [entry] : Object.values(entry),
    );
    for (const target of targets) expect(files).toContain(`package/${target.replace('./', '')}`);
    expect(files.filter((name) => /\.test\.|fixture|\.key\.json|\.env|node_modules/.test(name))).toEqual([]);
    const folders = new Set(files.map((name) => name.split('/')[1]));
    expect([...folders].sort()).toEqual([
      'LICENSE',
      'README.md',
      'adapter',
      'dist',
      'docs',
      'functions',
      'package.json',
    ]);
    expect(files.filter((name) => /^package\/(adapter|functions)\/.*(?<!README.md)$/.test(name))).toEqual([]);
    for (const page of pages) expect(files).toContain(`package/${page}`);
  });

  test('does not bring a Node or tools along', () => {
    expect(manifest()).not.toHaveProperty('optionalDependencies');
    expect(manifest()).not.toHaveProperty('devDependencies');
    expect(Object.keys(manifest().dependencies).filter((name) => name.startsWith('node-'))).toEqual([]);
  });

  test('packing leaves package.json as it was, also after a run that was cut short', async () => {
    const path = join(checkout, 'package.json');
    const own = await readFile(join(root, 'package.json'), 'utf8');
    expect(await readFile(path, 'utf8')).toBe(own);
    execFileSync(process.execPath, ['infra/packaging/prepack.ts'], { cwd: checkout, stdio: 'ignore' });
    expect(await readFile(path, 'utf8')).not.toBe(own);
    await packIn(checkout);
    expect(await readFile(path, 'utf8')).toBe(own);
    expect(existsSync(join(checkout, 'package.json.unpacked'))).toBe(false);
  });
});

describe.each(journeys)('$page, step by step', ({ steps }) => {
  test.each(steps.map((step) => [titleOf(step), step] as const))('%s', async (_, step) => {
    if (step.kind === 'file') await writeFile(join(project, step.name), withOwnPorts(step.text));
    else await follow(step);
  });
});

describe('the project afterwards', () => {
  test('has a clean tree without a Node of its own', async () => {
    const { exitCode, stdout, stderr } = await terminal.run('npm ls --all');
    expect({ exitCode, stderr: problems(stderr) }, stdout).toEqual({ exitCode: 0, stderr: '' });
    expect(existsSync(join(project, 'node_modules/.bin/node'))).toBe(false);
  });

  test('has an executable that needs nothing beside it, under whatever name', async () => {
    const host = join(folder, 'host');
    const { stdout, exitCode } = await terminal.run(
      [
        `mkdir ${host} && cp serverless.yaml adapter.key.json bundles.lock.json lock-signer.jwks.json ${host}`,
        `cp node_modules/sftpgo-plugin-serverless/dist/sftpgo-plugin-serverless ${host}/ipfilter`,
        `cd ${host}`,
        './ipfilter host-config --config serverless.yaml',
        'code=$?; cd - >/dev/null; (exit $code)',
      ].join('\n'),
    );
    expect(exitCode, stdout).toBe(0);
    const bytes = await readFile(join(host, 'ipfilter'));
    expect(JSON.parse(stdout).plugins).toEqual([
      expect.objectContaining({
        type: 'ipfilter',
        cmd: join(host, 'ipfilter'),
        args: ['serve', '--config', join(host, 'serverless.yaml')],
        sha256sum: createHash('sha256').update(bytes).digest('hex'),
        auto_mtls: true,
      }),
    ]);
    const called = await terminal.run(
      `${host}/ipfilter call ipfilter CheckIP ip=198.51.100.7 protocol=SSH --json --config ${host}/serverless.yaml`,
    );
    expect({ ...JSON.parse(called.stdout), exitCode: called.exitCode }, called.stderr).toMatchObject({
      result: 'denied',
      exitCode: 2,
    });
  });

  test('type-checks strictly, the declarations of every subpath included', async () => {
    const { exports, peerDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    // what the subpaths of single types need, and their authors install
    // the tools of deployment are 300 MB and have no types of ours
    const tools = ['esbuild', 'osls', 'wrangler'];
    const peers = Object.keys(peerDependencies).filter((name) => !tools.includes(name));
    await terminal.run(`npm i -D @types/node ${peers.join(' ')}`);
    const subpaths = Object.keys(exports);
    const imports = subpaths
      .filter((subpath) => !subpath.endsWith('.json'))
      .map((subpath, index) => `export * as m${index} from 'sftpgo-plugin-serverless${subpath.slice(1)}';\n`);
    await writeFile(join(project, 'all.ts'), imports.join(''));
    const compilerOptions = {
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      module: 'nodenext',
      target: 'es2022',
      types: ['node'],
      allowImportingTsExtensions: true,
      noEmit: true,
    };
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = await terminal.run(`node ${tsc} -p .`);
    expect(stdout).toBe('');
  });

  test('`build` without esbuild says what to install, and the other commands do without', async () => {
    await terminal.run('mv node_modules/esbuild ../esbuild');
    const build = await terminal.run('npx sftpgo-plugin-serverless build office.ts');
    expect(build.exitCode).toBe(1);
    expect(build.stderr).toContain('TOOL_MISSING');
    expect(build.stderr).toContain('npm i -D esbuild');
    expect((await terminal.run('npx sftpgo-plugin-serverless keys list')).exitCode).toBe(0);
  });
});

/** A page up to where it needs an account: ipfilter-page.test.ts goes on there. */
function withoutAccount(page: string): string {
  const [before = ''] = readFileSync(join(root, page), 'utf8').split('\n## Onto Cloudflare');
  return before;
}

function titleOf(step: CommandStep | FileStep): string {
  return `line ${step.line}: ${step.kind === 'file' ? `writes ${step.name}` : step.text.split('\n')[0]}`;
}

async function follow({ text, exitCode, port, output }: CommandStep): Promise<void> {
  const commands = withOwnPorts(text).replace('npm i sftpgo-plugin-serverless', `npm i ${tarball}`);
  const ran = await terminal.run(commands);
  const said = `${ran.stdout}\n${ran.stderr}`;
  expect(ran.exitCode, said).toBe(exitCode);
  expect(missingLine(output.map(withOwnPorts), ran.stdout), said).toBeUndefined();
  if (port !== undefined) await untilListening(ports.get(port) ?? port, said);
}

function withOwnPorts(text: string): string {
  let own = text;
  for (const [shown, free] of ports) own = own.replaceAll(String(shown), String(free));
  return own;
}

/** What npm says on stderr beside warnings. */
function problems(stderr: string): string {
  return stderr
    .split('\n')
    .filter((line) => !line.startsWith('npm warn'))
    .join('\n');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return address.port;
}

async function untilListening(port: number, said: string): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (open) return;
    await delay(100);
  }
  throw new Error(`nothing listens on ${port}: ${said}`);
}
