import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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
const artifact = (runtime: 'worker' | 'node', digit: string) => ({
  file: `/build/machine/out/office.${runtime}.mjs`,
  runtime,
  sha256: digit.repeat(64),
  bytes: 1,
  gzipBytes: 1,
  buildId: digit.toUpperCase().repeat(64),
  inputs,
});
const manifest = manifestOf('office', {
  type: 'ipfilter',
  handles: ['CheckIP', 'Reload'],
  artifacts: [artifact('worker', 'a'), artifact('node', 'b')],
  inputs,
});

test('what is written is read, and names no folder of the machine that built it', async () => {
  await writeManifest(folder, manifest);
  const read = await readManifest(folder, 'office');
  expect(read).toEqual(manifest);
  expect(JSON.stringify(read)).not.toContain('machine');
});

test('a lock accepts each artifact by its build id', () => {
  expect(acceptedBuilds(manifest)).toEqual(
    ['worker', 'node'].map((runtime, index) => ({
      version: 'AB'.charAt(index).repeat(64),
      files: { [`office.${runtime}.mjs`]: 'ab'.charAt(index).repeat(64) },
      config: {},
      inputs,
    })),
  );
});

test.each([
  ['no file', undefined],
  ['no JSON', '{'],
  ['another file', '{"name":"other"}'],
  ['an unknown type', JSON.stringify({ ...manifest, type: 'mail' })],
])('%s: the command to run is named', async (_, text) => {
  if (text !== undefined) await writeFile(join(folder, 'other.build.json'), text);
  await expect(readManifest(folder, 'other')).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    remedy: 'Run: npx sftpgo-plugin-serverless build other.ts',
  });
});
