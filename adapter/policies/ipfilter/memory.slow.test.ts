import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const script = join(import.meta.dirname, '../../../test/support/verdict-memory.ts');

test.each([
  ['ipv4', 32e6],
  ['ipv6', 32e6],
  // nothing that two verdicts share: more than the default of cache.bytes, which then keeps fewer
  ['reasons', Number.POSITIVE_INFINITY],
])('100,000 verdicts, %s: within the memory that the store says they take', async (kind, limit) => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script, kind], {
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  });
  const { size, estimate, heap } = JSON.parse(stdout);
  expect(size).toBe(100_000);
  expect(heap).toBeLessThan(estimate);
  expect(heap).toBeLessThan(limit);
  expect(estimate).toBeLessThan(limit);
});
