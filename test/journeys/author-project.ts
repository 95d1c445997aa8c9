import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type FileStep, fencedBlocks, missingLine, stepsOf } from './blocks.ts';
import { copyCheckout, packIn } from './pack.ts';
import { openTerminal, type Terminal } from './terminal.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** A part of a page, from its first heading to where the last one ends; lines are counted as in the page. */
export function partOfPage(path: string, first: string, last = first): string {
  const page = read(path);
  const place = (heading: string) => {
    const found = page.indexOf(`\n## ${heading}\n`);
    if (found < 0) throw new Error(`${path} has no heading ${heading}`);
    return found;
  };
  const start = place(first);
  return (
    page.slice(0, start).replace(/[^\n]/g, '') + page.slice(start, page.indexOf('\n## ', place(last) + 1))
  );
}

/** An author's project with the packed package installed, the README's function and keys. */
export interface AuthorProject {
  readonly folder: string;
  readonly terminal: Terminal;
  /** The content of the sealed lock. */
  lock(): Promise<{
    seq: number;
    functions: Record<string, { address: string; accepts: { version: string }[] }>;
  }>;
  close(): Promise<void>;
}

/** Makes such a project; `exports` are for its shell. */
export async function openAuthorProject(exports: readonly string[]): Promise<AuthorProject> {
  const temporary = await mkdtemp(join(tmpdir(), 'deploy-journey-'));
  const folder = join(temporary, 'project');
  const checkout = join(temporary, 'checkout');
  await mkdir(folder);
  await mkdir(checkout);
  await copyCheckout(checkout);
  const tarball = await packIn(checkout);
  const terminal = await openTerminal(folder);
  const office = fencedBlocks(read('README.md')).find(({ info }) => info === 'office.ts');
  await writeFile(join(folder, 'office.ts'), office?.text ?? '');
  const ran = await terminal.run(
    [
      'set -e',
      'npm init -y && npm pkg set type=module',
      `npm i ${tarball} && npm i -D esbuild`,
      'npx sftpgo-plugin-serverless keys create',
      'npx sftpgo-plugin-serverless keys create --lock-signer',
      // who commits, on a machine where git was not told
      'export GIT_AUTHOR_NAME=author GIT_AUTHOR_EMAIL=author@example.com',
      'export GIT_COMMITTER_NAME=author GIT_COMMITTER_EMAIL=author@example.com',
      ...exports,
      'set +e',
    ].join('\n'),
  );
  expect(ran.exitCode, ran.stderr).toBe(0);
  return {
    folder,
    terminal,
    async lock() {
      const { payload } = JSON.parse(await readFile(join(folder, 'bundles.lock.json'), 'utf8'));
      return JSON.parse(Buffer.from(payload, 'base64url').toString());
    },
    async close() {
      await terminal.close();
      await rm(temporary, { recursive: true, force: true });
    },
  };
}

/**
 * One test for each block of the part: files are written, commands run, and what they print is what the page shows.
 * `standIn` changes what the page writes into a file, where something of this machine stands for what a reader has. A part
 * of `moreThan` blocks or fewer was not found as it was written.
 */
export function testBlocks(
  part: string,
  project: () => AuthorProject,
  {
    standIn = ({ text }) => text,
    moreThan = 6,
  }: { readonly standIn?: (file: FileStep) => string; readonly moreThan?: number } = {},
): void {
  const steps = stepsOf(part);
  test('the page has something to do', () => expect(steps.length).toBeGreaterThan(moreThan));

  test.each(steps.map((step) => [`line ${step.line}`, step] as const))('%s', async (_, step) => {
    const { folder, terminal } = project();
    if (step.kind === 'file') return await writeFile(join(folder, step.name), standIn(step));
    // one that is meant to fail would end the shell
    const ran = await terminal.run(`set ${step.exitCode === 0 ? '-e' : '+e'}\n${step.text}`);
    const said = `${ran.stdout}\n${ran.stderr}`;
    expect(ran.exitCode, said).toBe(step.exitCode);
    expect(missingLine(step.output, ran.stdout), said).toBeUndefined();
  });
}
