import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PluginError } from '../../proto/error.ts';
import { writeFileAtomically } from '../config/write-file.ts';
import { explain, table } from './output.ts';

test('columns are as wide as their widest cell, and lines have no blanks at their end', () => {
  expect(
    table(
      ['file', 'problem'],
      [
        ['a.key.json', ''],
        ['b', 'exposed'],
      ],
    ),
  ).toBe('file        problem\na.key.json\nb           exposed');
  expect(table(['file', 'problem'], [])).toBe('file  problem');
});

test('an error for people: what happened, what was expected, what to do', () => {
  const parts = { happened: 'the lock is 9 MB', expected: 'at most 4 MiB', remedy: 'Build it again.' };
  expect(explain(new PluginError('LOCK_INVALID', parts))).toBe(
    'error LOCK_INVALID: the lock is 9 MB\n  expected: at most 4 MiB\n  Build it again.',
  );
  expect(explain(new Error('oops'))).toBe('error: oops');
  expect(explain('oops')).toBe('error: oops');
});

test('an error of the file system names the file that was meant, and what to do', async () => {
  const file = join(import.meta.dirname, 'nowhere/bundles.lock.json');
  const error = await writeFileAtomically(file, '', 0o644).catch((thrown: unknown) => thrown);
  expect(explain(error)).toBe(
    `error: ${file} cannot be used (ENOENT)\n  expected: a path that exists and that you may use\n  Correct the path, or its owner and mode.`,
  );
});

test('what a cloud says cannot hide a row, forge one, or steer the terminal', () => {
  const value = '\u001b[2K\u001b[1Aok\nteam@live  yes\u009b1m\u202e';
  const shown = '\\u001b[2K\\u001b[1Aok\\u000ateam@live  yes\\u009b1m\\u202e';
  expect(table(['found'], [[value]])).toBe(`found\n${shown}`);
  const parts = { happened: `environment.A is ${value}`, expected: 'a', remedy: 'b' };
  expect(explain(new PluginError('DRIFT', parts))).toBe(
    `error DRIFT: environment.A is ${shown.replace('\\u000a', '\n')}\n  expected: a\n  b`,
  );
});
