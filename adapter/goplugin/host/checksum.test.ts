import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkExecutable } from './checksum.ts';

const file = new URL(import.meta.url).pathname;
const digest = createHash('sha256').update(readFileSync(file)).digest('hex');

test('the expected file passes, in either case of the digits', async () => {
  await checkExecutable(file, digest);
  await checkExecutable(file, digest.toUpperCase());
});

test.each([
  ['another file', process.execPath, digest, 'CHECKSUM_MISMATCH'],
  ['a file that is not there', '/nowhere/plugin', digest, 'CHECKSUM_MISMATCH'],
  ['a digest that is none', file, 'abc', 'INPUT_INVALID'],
  ['an empty digest', file, '', 'INPUT_INVALID'],
])('%s is refused', async (_, path, sha256, code) => {
  await expect(checkExecutable(path, sha256)).rejects.toMatchObject({ code });
});
