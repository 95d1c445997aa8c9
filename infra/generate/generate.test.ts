import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { generate } from './generate.ts';

const committed = resolve(import.meta.dirname, '../../proto/gen');

async function filesOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
  return Object.fromEntries(paths.map((path, index) => [path.slice(folder.length + 1), texts[index] ?? '']));
}

test('proto/gen is what the .proto files say: npm run generate', { timeout: 20_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'generate-'));
  try {
    await generate(folder);
    expect(await filesOf(committed)).toEqual(await filesOf(folder));
  } finally {
    await rm(folder, { recursive: true });
  }
});
