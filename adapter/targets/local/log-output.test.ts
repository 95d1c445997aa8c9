import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { recordingLog } from '../../../test/support/invoke.ts';
import { logOutput } from './log-output.ts';

function captured() {
  const log = recordingLog();
  const stream = new PassThrough();
  logOutput(stream, { functionName: 'f@live', level: 'info', log });
  const end = async () => {
    const ended = new Promise((resolve) => stream.once('end', resolve));
    stream.end();
    await ended;
    return log.lines;
  };
  return { stream, end };
}

test('lines come whole however they were written, the last one without its end too', async () => {
  const { stream, end } = captured();
  for (const part of ['a', 'b\nc', '\n\n', 'ü', '\nlast']) stream.write(part);
  expect((await end()).map(({ text }) => text)).toEqual(
    ['ab', 'c', 'ü', 'last'].map((line) => `${line} function=f@live`),
  );
});

test('a line without an end is cut and not collected', async () => {
  const { stream, end } = captured();
  for (let times = 0; times < 50; times += 1) stream.write('x'.repeat(100_000));
  stream.write('\nnext\n');
  const lines = await end();
  expect(lines).toHaveLength(2);
  expect(lines[0]?.text).toMatch(/^x{4096}… function=f@live$/);
  expect(lines[1]?.text).toBe('next function=f@live');
});

test.each([
  ['{"level":"fatal","message":"m"}', 'info'],
  ['{"level":"error"}', 'info'],
  ['{"level":"debug","message":"m","n":1,"o":{}}', 'debug'],
  ['{not json', 'info'],
  ['null', 'info'],
  ['{"level":"warn","message":"m","function":"another"}', 'warn'],
] as const)('%s is logged at %s, under the name of the function', async (line, level) => {
  const { stream, end } = captured();
  stream.write(`${line}\n`);
  const lines = await end();
  expect(lines.map((each) => each.level)).toEqual([level]);
  expect(lines[0]?.text.endsWith('function=f@live')).toBe(true);
});
