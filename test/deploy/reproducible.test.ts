import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { oldestNode } from '../support/node22.ts';

const root = join(import.meta.dirname, '../..');
const node22 = oldestNode();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reproducible-'));
});
afterAll(async () => await rm(folder, { recursive: true }));

interface Machine {
  /** Where the clone lies. */
  readonly name: string;
  readonly node: string;
  readonly umask: string;
  readonly env: Readonly<Record<string, string>>;
  /** Puts the installed packages into the clone. */
  install(to: string): Promise<void>;
}

/** Every example of the ready functions: what a user deploys. */
const entries = globSync('functions/*/example*.ts', { cwd: root }).sort();
const nameOf = (entry: string) => entry.replace(/^functions\/|\.ts$/g, '').replace(/[^a-z0-9]+/g, '-');

/** Clones the repository, builds every example there for both clouds, and gives the digest of each file made. */
async function buildOn(machine: Machine): Promise<Record<string, string>> {
  const clone = join(folder, machine.name);
  await mkdir(dirname(clone), { recursive: true });
  const shell = async (command: string, cwd: string) =>
    await promisify(execFile)('sh', ['-c', `umask ${machine.umask}; ${command}`], {
      cwd,
      env: { PATH: process.env['PATH'], HOME: folder, ...machine.env },
      maxBuffer: 1e8,
    });
  await shell(`git clone -q '${root}' '${clone}'`, folder);
  await machine.install(join(clone, 'node_modules'));
  const project = join(clone, 'project');
  await mkdir(project);
  await writeFile(
    join(project, 'serverless.yml'),
    [
      'custom:',
      '  plugins:',
      ...entries.map((entry) => `    ${nameOf(entry)}: { entry: ../${entry}, target: lambda }`),
    ].join('\n'),
  );
  await shell(`'${machine.node}' ../infra/cli/main.ts build --targets worker,lambda`, project);
  const out = join(project, 'out');
  const made = (await readdir(out)).filter((name) => !name.endsWith('.map')).sort();
  const digests = made.map(async (name) => [
    name,
    createHash('sha256')
      .update(await readFile(join(out, name)))
      .digest('hex'),
  ]);
  return Object.fromEntries(await Promise.all(digests));
}

const linked: Machine = {
  name: 'a',
  node: node22 ?? process.execPath,
  umask: '077',
  env: { TZ: 'Pacific/Kiritimati', LC_ALL: 'C' },
  install: async (to) => await symlink(join(root, 'node_modules'), to),
};

const copied: Machine = {
  name: 'another place/of a longer path/clone',
  node: process.execPath,
  umask: '022',
  env: { TZ: 'America/St_Johns', LANG: 'tr_TR.UTF-8' },
  async install(to) {
    const from = join(root, 'node_modules');
    // as hard links where that is possible: a gigabyte
    try {
      execFileSync('cp', ['-al', from, to], { stdio: 'ignore' });
    } catch {
      await rm(to, { recursive: true, force: true });
      execFileSync('cp', ['-a', from, to]);
    }
  },
};

describe.skipIf(node22 === undefined && process.env['CI'] !== 'true')(
  node22 === undefined ? '(skipped: needs Node 22 from npm for this platform)' : 'on Node 22 and a newer one',
  () => {
    test('two clones under other paths, umasks, time zones and languages: the same bytes', async () => {
      expect(node22).toBeDefined();
      const [first, second] = [await buildOn(linked), await buildOn(copied)];
      expect(Object.keys(first)).toHaveLength(3 * entries.length);
      expect(entries.length).toBeGreaterThanOrEqual(6);
      expect(second).toEqual(first);
    });
  },
);
