import { afterEach, expect, test } from 'vitest';
import { memoryLog } from '../../fixture/pair.ts';
import { watchParent } from './parent.ts';
import { guardStdout } from './stdout-guard.ts';

const undo: (() => void)[] = [];

afterEach(() => {
  for (const restore of undo.splice(0)) restore();
});

test('a change of parent is told once; a parent that stays is not', async () => {
  let parent = 41;
  let gone = 0;
  undo.push(
    watchParent(
      () => gone++,
      1,
      () => parent,
    ),
  );
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(gone).toBe(0);
  parent = 1;
  await expect.poll(() => gone).toBe(1);
  parent = 2;
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(gone).toBe(1);
});

test('a host that is process 1 itself is a parent like any other', async () => {
  let gone = 0;
  undo.push(
    watchParent(
      () => gone++,
      1,
      () => 1,
    ),
  );
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(gone).toBe(0);
});

test('what is written to stdout and the console goes to the log, and back when released', () => {
  const { log, lines } = memoryLog();
  const before = process.stdout.write;
  const restore = guardStdout(log);
  undo.push(restore);
  let called = 0;
  process.stdout.write('text\n', () => called++);
  process.stdout.write(Buffer.from('bytes\n'));
  console.warn('hm');
  console.error('bad %d', 1);
  process.stdout.write('\n');
  expect(lines.map((line) => [line['@level'], line['@message'], line['@module']])).toEqual([
    ['info', 'text', 'stdout'],
    ['info', 'bytes', 'stdout'],
    ['warn', 'hm', 'stdout'],
    ['error', 'bad 1', 'stdout'],
  ]);
  restore();
  expect(process.stdout.write).toBe(before);
});
