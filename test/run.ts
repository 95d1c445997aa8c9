import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { oldestNode } from './support/node22.ts';

/** `npm test`: every suite, one after the other, and one closing line over all of them. */
const root = join(import.meta.dirname, '..');
const results = await mkdtemp(join(tmpdir(), 'suites-'));

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const total: Counts = { passed: 0, failed: 0, skipped: 0 };
const lines: string[] = [];

function count(name: string, counts: Counts): void {
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  lines.push(`${name.padEnd(28)}${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
}

/** Runs a program with its output shown; returns its exit code. */
async function run(program: string, args: readonly string[], cwd = root): Promise<number> {
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  return await new Promise((resolve) => {
    child.on('error', () => resolve(127));
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

/** A program that passes or fails as a whole. */
async function step(name: string, program: string, args: readonly string[]): Promise<void> {
  process.stdout.write(`\n# ${name}\n`);
  const code = await run(program, args);
  count(name, { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 });
}

/** Tests by vitest on one Node, counted one by one. */
async function vitest(name: string, node: string, args: readonly string[]): Promise<void> {
  process.stdout.write(`\n# ${name}\n`);
  const report = join(results, `${lines.length}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const code = await run(node, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args, ...reporters]);
  const json = existsSync(report) ? JSON.parse(await readFile(report, 'utf8')) : {};
  const failed = Number(json.numFailedTests ?? 0);
  for (const reason of skipReasons(json)) process.stdout.write(`${reason}\n`);
  count(name, {
    passed: Number(json.numPassedTests ?? 0),
    failed: code !== 0 && failed === 0 ? 1 : failed,
    skipped: Number(json.numPendingTests ?? 0) + Number(json.numTodoTests ?? 0),
  });
}

/** Suites say in their titles why they are skipped: `(skipped: needs Go >= 1.24)`. */
function skipReasons(report: { testResults?: { assertionResults: { ancestorTitles: string[] }[] }[] }) {
  const titles = report.testResults?.flatMap(({ assertionResults }) =>
    assertionResults.flatMap(({ ancestorTitles }) => ancestorTitles),
  );
  return new Set(titles?.filter((title) => title.includes('(skipped: ')));
}

const current = process.execPath;
await step('types', current, ['node_modules/typescript/bin/tsc', '-p', '.']);
await step('lint', 'node_modules/.bin/biome', ['check', '.']);
await vitest('unit', current, ['--project', 'unit']);
await vitest('end to end', current, ['--project', 'e2e']);
const oldest = oldestNode();
if (oldest !== undefined) {
  await vitest('unit, Node 22', oldest, ['--project', 'unit']);
  await vitest('real host, Node 22', oldest, ['--project', 'e2e', 'test/host', '.slow.test.ts']);
} else if (process.env['CI'] === 'true') {
  count('Node 22', { passed: 0, failed: 1, skipped: 0 });
} else {
  process.stdout.write('skipped: needs Node 22 from npm for this platform\n');
  count('Node 22', { passed: 0, failed: 0, skipped: 1 });
}
await step('mutations', current, ['test/mutations/run.ts']);

await rm(results, { recursive: true });
process.stdout.write(`\n${lines.join('\n')}\n\n`);
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
