import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** `npm run fuzz`: the properties of this folder with a million inputs each, or with FUZZ_RUNS. About an hour. */
const root = join(import.meta.dirname, '../..');
const { status } = spawnSync(
  process.execPath,
  [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'e2e', 'test/fuzz'],
  { cwd: root, stdio: 'inherit', env: { FUZZ_RUNS: '1000000', ...process.env } },
);
process.exitCode = status ?? 1;
