import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildFunction } from '../../infra/build/function.ts';
import { parseForm } from '../../infra/deploy/worker/form.ts';
import { readSettings } from '../../infra/deploy/worker/settings.ts';
import { findWrangler, quiet } from '../../infra/deploy/worker/wrangler.ts';
import { sha256Hex } from '../../proto/lock/digest.ts';
import { deployTools, prepareWorkerProject } from './worker-project.ts';

const root = join(import.meta.dirname, '../..');
const config = 'infra/cloudflare/office.wrangler.jsonc';

/** The repository's own configuration and bundle, laid out as there, with the wrangler that authors install. */
let folder: string;
let digest: string;
const environment = { PATH: process.env['PATH'] ?? '', ...quiet };
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dry-run-'));
  environment.PATH = process.env['PATH'] ?? '';
  await mkdir(join(folder, 'infra/cloudflare'), { recursive: true });
  await mkdir(join(folder, 'node_modules'));
  await symlink(join(await deployTools(), 'node_modules/wrangler'), join(folder, 'node_modules/wrangler'));
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  await writeFile(join(folder, config), await readFile(join(root, config)));
  const entry = join(root, 'functions/ipfilter/example.ts');
  const built = await buildFunction({ entry, name: 'office', outDir: join(folder, 'out') });
  digest = built.artifacts.find(({ runtime }) => runtime === 'worker')?.sha256 ?? '';
});
afterAll(async () => await rm(folder, { recursive: true }));

async function dryRun(...args: string[]): Promise<void> {
  const { bin } = await findWrangler(folder);
  // offline: no token, no account
  await promisify(execFile)(process.execPath, [bin, 'deploy', '--config', config, '--dry-run', ...args], {
    cwd: folder,
    env: { ...environment, HOME: folder },
  });
}

test('wrangler deploy --dry-run writes the built bundle, byte for byte, and nothing else that runs', async () => {
  await dryRun('--outdir', 'dry');
  const written = (await readdir(join(folder, 'dry'))).filter((name) => name !== 'README.md');
  expect(written).toEqual(['office.worker.mjs']);
  expect(sha256Hex(await readFile(join(folder, 'dry/office.worker.mjs')))).toBe(digest);
});

test('what it would upload is the lock: modules and settings', async () => {
  await dryRun('--outfile', 'form');
  const { modules, bindings, ...rest } = await parseForm(await readFile(join(folder, 'form')));
  expect(
    modules?.map(({ name, content_base64: content }) => [name, sha256Hex(Buffer.from(content, 'base64'))]),
  ).toEqual([['office.worker.mjs', digest]]);
  expect(rest).toMatchObject({ main_module: 'office.worker.mjs', compatibility_date: '2026-07-01' });
  expect(bindings?.map(({ name, type }) => `${name} ${type}`).sort()).toEqual([
    'BANS kv_namespace',
    'CF_VERSION_METADATA version_metadata',
    'PLUGIN_KEY secret_text',
  ]);
});

test('the configuration is one that deploy takes', async () => {
  const fn = { name: 'office', stage: 'live', id: 'office@live', entry: '', target: 'worker' } as const;
  const settings = await readSettings(
    await findWrangler(folder),
    { ...fn, config: join(folder, config) },
    environment,
  );
  expect(settings).toMatchObject({ name: 'sftpgo-office', preview_urls: false });
});

test('what a Worker is locked with is what wrangler would send', async () => {
  const project = await prepareWorkerProject();
  try {
    const { code, stderr } = await project.run(['deploy']);
    expect(code, stderr).toBe(0);
    const [shown] = Object.values(
      JSON.parse((await project.run(['lock', 'show', '--json'])).stdout).lock.functions,
    ) as { accepts: { files: Record<string, string> }[] }[];
    const bytes = await readFile(project.bundle);
    expect(shown?.accepts[0]?.files).toEqual({ 'office.worker.mjs': sha256Hex(bytes) });
  } finally {
    await project.close();
  }
});
