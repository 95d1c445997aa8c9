import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Metafile } from 'esbuild';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { inputsOf } from './inputs.ts';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'inputs-'))));
afterEach(async () => await rm(folder, { recursive: true }));

const write = async (path: string, text: string) => {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
};

/** Installs a package with one module, in the project or below another package. */
async function install(place: string, code: string, version = '1.0.0'): Promise<string> {
  await write(`${place}/package.json`, JSON.stringify({ name: 'holding', version }));
  await write(`${place}/i.mjs`, code);
  return `${place}/i.mjs`;
}

const own = 'node_modules/holding';
const nested = 'node_modules/other/node_modules/holding';

function digestOf(paths: readonly string[], input = 'holding@1.0.0'): string | undefined {
  const inputs = Object.fromEntries(paths.map((path) => [path, { bytesInOutput: 1 }]));
  const output = { bytes: 1, imports: [], exports: [], inputs };
  const metafile: Metafile = { inputs: {}, outputs: { 'out.mjs': output } };
  return inputsOf(metafile, folder)[input];
}

test('a package that is installed twice with one version: each copy is in the digest', async () => {
  const paths = [await install(own, 'one'), await install(nested, 'two')];
  const both = digestOf(paths);
  await install(nested, 'three');
  const second = digestOf(paths);
  await install(own, 'four');
  expect(new Set([both, second, digestOf(paths)]).size).toBe(3);
});

test('equal copies are one package, and it does not matter where a copy lies', async () => {
  const one = digestOf([await install(own, 'one')]);
  expect(digestOf([`${own}/i.mjs`, await install(nested, 'one')])).toBe(one);
  const both = digestOf([`${own}/i.mjs`, await install(nested, 'two')]);
  const swapped = digestOf([await install(nested, 'one'), await install(own, 'two')]);
  expect([swapped, both === one]).toEqual([both, false]);
});

test('two versions are two packages', async () => {
  const paths = [await install(own, 'one'), await install(nested, 'one', '1.1.0')];
  expect(digestOf(paths)).toBe(digestOf(paths, 'holding@1.1.0'));
  await install(nested, 'two', '1.1.0');
  expect(digestOf(paths)).not.toBe(digestOf(paths, 'holding@1.1.0'));
});
