import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Mutation } from './mutation.ts';

const root = join(import.meta.dirname, '../..');

test('every mutation fits its file and names tests that exist: running them all takes minutes', async () => {
  const names = (await readdir(import.meta.dirname)).filter(
    (name) => !/^(run|mutation|.*\.test)\.ts$/.test(name),
  );
  const problems: string[] = [];
  for (const name of names) {
    const { mutations }: { mutations: readonly Mutation[] } = await import(`./${name}`);
    for (const { file, text, tests } of mutations) {
      const occurrences = (await readFile(join(root, file), 'utf8')).split(text).length - 1;
      if (occurrences !== 1)
        problems.push(`${name}: ${file}: ${JSON.stringify(text)} occurs ${occurrences} times`);
      for (const path of tests) if (!existsSync(join(root, path))) problems.push(`${name}: no ${path}`);
    }
  }
  expect(problems).toEqual([]);
});
