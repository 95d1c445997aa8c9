import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findMoto, type MotoServer, startMoto } from '../support/moto.ts';
import { fencedBlocks, missingLine, stepsOf } from './blocks.ts';
import { copyCheckout, packIn } from './pack.ts';
import { openTerminal, type Terminal } from './terminal.ts';

const found = await findMoto();
const skipped = 'skipped' in found ? ` (${found.skipped})` : '';
const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
/** From `## AWS Lambda` up to the next heading of that size, lines counted as in the page. */
const page = read('docs/deploy.md');
const start = page.indexOf('\n## AWS Lambda\n');
const section =
  page.slice(0, start).replace(/[^\n]/g, '') + page.slice(start, page.indexOf('\n## ', start + 1));

/** The commands of the page, against moto in the place of an account. */
describe.skipIf('skipped' in found)(`docs/deploy.md on AWS${skipped}`, () => {
  let folder: string;
  let project: string;
  let moto: MotoServer;
  let terminal: Terminal;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'deploy-journey-'));
    project = join(folder, 'project');
    await mkdir(project);
    await mkdir(join(folder, 'checkout'));
    await copyCheckout(join(folder, 'checkout'));
    const tarball = await packIn(join(folder, 'checkout'));
    moto = await startMoto('program' in found ? found.program : '');
    terminal = await openTerminal(project);
    const office = fencedBlocks(read('README.md')).find(({ info }) => info === 'office.ts');
    await writeFile(join(project, 'office.ts'), office?.text ?? '');
    const ran = await terminal.run(
      [
        'set -e',
        'npm init -y && npm pkg set type=module',
        `npm i ${tarball} && npm i -D esbuild`,
        'npx sftpgo-plugin-serverless keys create',
        'npx sftpgo-plugin-serverless keys create --lock-signer',
        `export AWS_ENDPOINT_URL=${moto.url} AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE AWS_SECRET_ACCESS_KEY=test`,
        'set +e',
      ].join('\n'),
    );
    expect(ran.exitCode, ran.stderr).toBe(0);
  });
  afterAll(async () => {
    await terminal?.close();
    await moto?.close();
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

  test('in the end the first version is the only one again, five locks later', async () => {
    const { payload } = JSON.parse(await readFile(join(project, 'bundles.lock.json'), 'utf8'));
    const lock = JSON.parse(Buffer.from(payload, 'base64url').toString());
    expect([lock.seq, lock.functions['office@live'].accepts.length]).toEqual([5, 1]);
    expect(lock.functions['office@live'].accepts[0].version).toBe('1');
  });
});
