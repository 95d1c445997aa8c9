import { expect, test } from 'vitest';
import { pageWithMatrix } from './docs-matrix.ts';

test('docs/reliability.md shows the matrix that is tested: node test/faults/write-matrix.ts writes it', async () => {
  const { now, written } = await pageWithMatrix();
  expect(now).toBe(written);
});
