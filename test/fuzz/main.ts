import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Row } from './runs.ts';
import { table } from './table.ts';

/**
 * `npm run fuzz`: the properties of this folder with a million inputs each, or FUZZ_RUNS, from a seed that is printed,
 * or FUZZ_SEED; `-- users grpc` tries only the files of these names. Ends with a table of what was tried.
 */
const root = join(import.meta.dirname, '../..');
const wanted = process.argv.slice(2);
// these two are no properties: npm test and `npm run soak` have them
const files = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.test.ts') && !/^(?:canaries|soak)\./.test(name))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.startsWith(part)))
  .map((name) => `test/fuzz/${name}`);
if (files.length === 0) throw new Error(`no file of test/fuzz begins with ${wanted.join(' or ')}`);

const env = { FUZZ_RUNS: '1000000', FUZZ_SEED: String(randomInt(2 ** 31)), ...process.env };
const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
const rows = join(folder, 'rows');
const heading = `FUZZ_RUNS=${env.FUZZ_RUNS} FUZZ_SEED=${env.FUZZ_SEED}, Node ${process.version}, ${process.platform} ${process.arch}, ${availableParallelism()} cores`;
process.stdout.write(`${heading}\n`);
const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--project',
    'e2e',
    '--reporter',
    'verbose',
    ...files,
  ],
  { cwd: root, stdio: 'inherit', env: { ...env, FUZZ_ROWS: rows } },
);
process.stdout.write(`\n${heading}\n\n${table(rowsIn(rows))}\n`);
rmSync(folder, { recursive: true });
process.exitCode = status ?? 1;

function rowsIn(file: string): readonly Row[] {
  try {
    return readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line): Row => JSON.parse(line));
  } catch {
    return [];
  }
}
