import { spawn } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mutation } from './mutation.ts';

/**
 * Applies every mutation of this folder's lists, one at a time in a copy of the sources, and demands that its tests
 * turn red. Arguments filter by file or reason. Exit 1 when a mutation survives or no longer fits its file.
 */
const root = join(import.meta.dirname, '../..');
const copied = [
  'proto',
  'adapter',
  'functions',
  'infra',
  'test',
  'docs',
  'package.json',
  'vitest.config.ts',
  'tsconfig.json',
];

async function allMutations(): Promise<Mutation[]> {
  const names = (await readdir(import.meta.dirname)).filter(
    (name) => !/^(run|mutation|.*\.test)\.ts$/.test(name),
  );
  const lists = await Promise.all(
    names.map(async (name): Promise<{ mutations: readonly Mutation[] }> => import(`./${name}`)),
  );
  const filters = process.argv.slice(2);
  return lists
    .flatMap(({ mutations }) => mutations)
    .filter(({ file, why }) => filters.every((filter) => file.includes(filter) || why.includes(filter)));
}

/** A copy of the sources to break things in. */
async function workbench(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mutations-'));
  for (const name of copied) {
    await cp(join(root, name), join(folder, name), {
      recursive: true,
      filter: (path) => !/node_modules|test\/host\/bin|\/\.|\/out$/.test(path.slice(root.length)),
    });
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** A defect may make tests wait for ever: that is red as well. */
const longestMs = 150_000;
const allOfThemMs = 1_800_000;
/** Of each property of test/fuzz: what these defects do shows among them. */
const fewInputs = '3000';

/** Are the mutation's tests red in this folder? What they started and did not end is ended with them. */
async function turnsRed(folder: string, tests: readonly string[], limitMs = longestMs): Promise<boolean> {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const child = spawn(
    process.execPath,
    [vitest, 'run', '--project', 'unit', '--project', 'e2e', '--bail', '1', ...tests],
    { cwd: folder, stdio: 'ignore', detached: true, env: { FUZZ_RUNS: fewInputs, ...process.env } },
  );
  const endAll = () => {
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    } catch {
      // all of them have ended
    }
  };
  const tooLong = setTimeout(endAll, limitMs);
  const code = await new Promise<number | null>((resolve) => child.on('exit', resolve));
  clearTimeout(tooLong);
  endAll();
  return code !== 0;
}

async function check(folder: string, mutation: Mutation): Promise<string | undefined> {
  const path = join(folder, mutation.file);
  const original = await readFile(path, 'utf8');
  const occurrences = original.split(mutation.text).length - 1;
  if (occurrences !== 1) return `its text occurs ${occurrences} times`;
  await writeFile(
    path,
    original.replace(mutation.text, () => mutation.replacement),
  );
  try {
    return (await turnsRed(folder, mutation.tests)) ? undefined : 'survived';
  } finally {
    await writeFile(path, original);
  }
}

const mutations = await allMutations();
const queue = [...mutations.entries()];
const bad: string[] = [];
const folders = await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, workbench));
const everyTest = [...new Set(mutations.flatMap((mutation) => mutation.tests))];
if (await turnsRed(folders[0] ?? '', everyTest, allOfThemMs))
  throw new Error('the tests are red without any mutation');
await Promise.all(
  folders.map(async (folder) => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [index, mutation] = next;
      const problem = await check(folder, mutation);
      const line = `${index + 1}/${mutations.length} ${mutation.file}: ${mutation.why}`;
      process.stdout.write(`${problem === undefined ? 'red     ' : 'GREEN   '} ${line}\n`);
      if (problem !== undefined) bad.push(`${line}: ${problem}`);
    }
    await rm(folder, { recursive: true });
  }),
);
for (const line of bad) process.stderr.write(`${line}\n`);
process.stdout.write(`${mutations.length - bad.length} of ${mutations.length} mutations turned a test red\n`);
process.exitCode = bad.length === 0 && mutations.length > 0 ? 0 : 1;
