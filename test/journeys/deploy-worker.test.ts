import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cloudflare, startCloudflare } from '../runtimes/cloudflare-api.ts';
import { fencedBlocks, missingLine, stepsOf } from './blocks.ts';
import { copyCheckout, packIn } from './pack.ts';
import { openTerminal, type Terminal } from './terminal.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
/** From `## Cloudflare Workers` up to the next heading of that size, lines counted as in the page. */
const page = read('docs/deploy.md');
const start = page.indexOf('\n## Cloudflare Workers\n');
const section =
  page.slice(0, start).replace(/[^\n]/g, '') + page.slice(start, page.indexOf('\n## ', start + 1));

/** The commands of the page, against the test server of Cloudflare's API in the place of an account. */
describe('docs/deploy.md on Cloudflare', () => {
  let folder: string;
  let project: string;
  let cloudflare: Cloudflare;
  let terminal: Terminal;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'deploy-worker-journey-'));
    project = join(folder, 'project');
    await mkdir(project);
    await mkdir(join(folder, 'checkout'));
    await copyCheckout(join(folder, 'checkout'));
    const tarball = await packIn(join(folder, 'checkout'));
    cloudflare = await startCloudflare();
    terminal = await openTerminal(project);
    const office = fencedBlocks(read('README.md')).find(({ info }) => info === 'office.ts');
    await writeFile(join(project, 'office.ts'), office?.text ?? '');
    const { token, account, url } = cloudflare;
    const ran = await terminal.run(
      [
        'set -e',
        'npm init -y && npm pkg set type=module',
        `npm i ${tarball} && npm i -D esbuild`,
        'npx sftpgo-plugin-serverless keys create',
        'npx sftpgo-plugin-serverless keys create --lock-signer',
        `export CLOUDFLARE_API_TOKEN=${token} CLOUDFLARE_ACCOUNT_ID=${account} CLOUDFLARE_API_BASE_URL=${url}`,
        // for the one command of the page that runs wrangler itself: offline, and without telemetry
        'export WRANGLER_SEND_METRICS=false WRANGLER_HIDE_BANNER=true CI=true',
        'set +e',
      ].join('\n'),
    );
    expect(ran.exitCode, ran.stderr).toBe(0);
  });
  afterAll(async () => {
    await terminal?.close();
    await cloudflare?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const steps = stepsOf(section);
  test('the page has something to do', () => expect(steps.length).toBeGreaterThan(6));

  test.each(steps.map((step) => [`line ${step.line}`, step] as const))('%s', async (_, step) => {
    if (step.kind === 'file') return await writeFile(join(project, step.name), step.text);
    const ran = await terminal.run(`set -e\n${step.text}`);
    const said = `${ran.stdout}\n${ran.stderr}`;
    expect(ran.exitCode, said).toBe(step.exitCode);
    expect(missingLine(step.output, ran.stdout), said).toBeUndefined();
  });

  test('in the end the first version is the only one again, five locks later, and has all calls', async () => {
    const { payload } = JSON.parse(await readFile(join(project, 'bundles.lock.json'), 'utf8'));
    const lock = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const worker = cloudflare.workers.get('sftpgo-office');
    const first = worker?.versions[0]?.id;
    const { address, accepts } = lock.functions['office@live'];
    expect([lock.seq, address, accepts.map(({ version }: { version: string }) => version)]).toEqual([
      5,
      'https://sftpgo-office.acme.workers.dev',
      [first],
    ]);
    expect(worker?.deployments[0]?.versions).toEqual([{ version_id: first, percentage: 100 }]);
    expect(worker?.subdomain).toEqual({ enabled: true, previews_enabled: false });
  });
});
