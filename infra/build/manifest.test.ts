import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { acceptedBuilds, manifestOf, readManifest, writeManifest } from './manifest.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'manifest-'));
});
afterAll(async () => await rm(folder, { recursive: true }));

const inputs = { 'hono@4.0.0': 'c'.repeat(64) };
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const artifact = (runtime: 'worker' | 'node', digit: string) => ({
  file: `/build/machine/out/office.${runtime}.mjs`,
  runtime,
  sha256: sha256(runtime),
  bytes: 1,
  gzipBytes: 1,
  buildId: digit.toUpperCase().repeat(64),
  inputs,
});
const manifest = manifestOf('office', {
  type: 'ipfilter',
  warnings: [],
  handles: ['CheckIP', 'Reload'],
  artifacts: [artifact('worker', 'a'), artifact('node', 'b')],
  inputs,
});

async function writeBundles(): Promise<void> {
  for (const runtime of ['worker', 'node']) await writeFile(join(folder, `office.${runtime}.mjs`), runtime);
}

test('what is written is read, and names no folder of the machine that built it', async () => {
  await writeBundles();
  await writeManifest(folder, manifest);
  const read = await readManifest(folder, 'office');
  expect(read).toEqual(manifest);
  expect(JSON.stringify(read)).not.toContain('machine');
});

test('a lock accepts each artifact by its build id', () => {
  expect(acceptedBuilds(manifest)).toEqual(
    ['worker', 'node'].map((runtime, index) => ({
      version: 'AB'.charAt(index).repeat(64),
      files: { [`office.${runtime}.mjs`]: sha256(runtime) },
      config: {},
      inputs,
    })),
  );
});

test('each has its own packages: bundles take other files of one package, and so other digests', () => {
  const [worker, node] = manifest.artifacts.map((one, index) => ({
    ...one,
    inputs: { 'hono@4.0.0': 'de'.charAt(index).repeat(64) },
  }));
  const artifacts = [worker, node].filter((one) => one !== undefined);
  expect(acceptedBuilds({ ...manifest, artifacts }).map(({ inputs }) => inputs)).toEqual(
    artifacts.map(({ inputs }) => inputs),
  );
});

test.each([
  ['no file', undefined],
  ['no JSON', '{'],
  ['another file', '{"name":"other"}'],
  ['a truncated manifest', JSON.stringify(manifest).slice(0, -20)],
  ['a bundle of another folder', JSON.stringify(manifest).replace('office.node', '../office.node')],
  ['an unknown type', JSON.stringify({ ...manifest, type: 'mail' })],
])('%s: the command to run is named', async (_, text) => {
  if (text !== undefined) await writeFile(join(folder, 'other.build.json'), text);
  await expect(readManifest(folder, 'other')).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    remedy: 'Run: npx sftpgo-plugin-serverless build other.ts',
  });
});

const bundle = () => join(folder, 'office.node.mjs');

test.each([
  [
    'one byte was changed',
    async () => {
      const bytes = await readFile(bundle());
      bytes[2] = Number(bytes[2]) ^ 1;
      await writeFile(bundle(), bytes);
    },
    `SHA-256 ${sha256('noee')}`,
  ],
  ['it was cut off', async () => await truncate(bundle(), 3), `SHA-256 ${sha256('nod')}`],
  ['it has no end', async () => await truncate(bundle(), 2 ** 40), 'it is 1099511627776 bytes long'],
  ['it was removed', async () => await rm(bundle()), 'it is not there'],
  [
    'a device stands in its place',
    async () => {
      await rm(bundle());
      await symlink('/dev/zero', bundle());
    },
    'it is no regular file',
  ],
])('a bundle is refused, and named, when %s', async (_, change, found) => {
  await rm(bundle(), { force: true });
  await writeBundles();
  await writeManifest(folder, manifest);
  await change();
  await expect(readManifest(folder, 'office')).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    happened: `${bundle()} is not what \`build\` made of office: ${found}`,
    expected: `SHA-256 ${sha256('node')}, as office.build.json has it`,
  });
});
