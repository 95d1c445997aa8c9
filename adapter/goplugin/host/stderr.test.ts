import { expect, test } from 'vitest';
import { formatLogLine } from '../server/log-line.ts';
import { StderrReader } from './stderr.ts';

function read(text: string, chunkBytes = text.length || 1): unknown[][] {
  const records: unknown[][] = [];
  const reader = new StderrReader((...record) => records.push(record));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += chunkBytes) reader.push(bytes.subarray(at, at + chunkBytes));
  reader.end();
  return records;
}

test.each([
  ['{"@level":"warn","@message":"m","a":"1"}', ['warn', 'm', { a: '1' }]],
  ['{"@level":" INFO ","@message":"m","@module":"x"}', ['info', 'm', { '@module': 'x' }]],
  ['{"@level":"info"}', ['info', '', {}]],
  ['[WARN] low disk', ['warn', '[WARN] low disk', {}]],
  ['[ERROR]', ['error', '[ERROR]', {}]],
  ['[ERR] x', ['debug', '[ERR] x', {}]],
  [' [WARN] x', ['debug', ' [WARN] x', {}]],
  ['plain', ['debug', 'plain', {}]],
  ['panic: oh', ['error', 'panic: oh', {}]],
])('%s', (line, record) => {
  expect(read(`${line}\n`)).toEqual([record]);
});

test.each([
  '{"@message":"no level"}',
  '{"@level":"fatal","@message":"m"}',
  '{"@level":"error","@message":7}',
  '{"@level":"error","@message":"m","@timestamp":"2026-01-01T00:00:00.123Z"}',
  'null',
  '1',
  '[1]',
  '"x"',
])('the whole raw line at debug: %s', (line) => {
  expect(read(`${line}\n`)).toEqual([['debug', line, {}]]);
});

test('a time in the layout of hclog is passed on', () => {
  const line = '{"@level":"error","@message":"m","@timestamp":"2026-01-01T00:00:00.123456+01:00"}\n';
  expect(read(line)).toEqual([['error', 'm', { timestamp: '2026-01-01T00:00:00.123456+01:00' }]]);
});

test('after a Go panic plain lines are errors, tagged ones keep their level', () => {
  const levels = read('panic: x\n\tat main.go\n[INFO] y\n{"@level":"debug","@message":"z"}\n').map(
    ([level]) => level,
  );
  expect(levels).toEqual(['error', 'error', 'info', 'debug']);
});

test('lines may arrive in any pieces, the last without a line feed', () => {
  const text = `${formatLogLine('info', 'äö😀')}plain\r\n[WARN] w`;
  expect(read(text, 1)).toEqual([
    ['info', 'äö😀', {}],
    ['debug', 'plain', {}],
    ['warn', '[WARN] w', {}],
  ]);
});

test('64 KiB is a line, one byte more is raw pieces', () => {
  const line = (bytes: number) => `{"@level":"error","@message":"${'x'.repeat(bytes - 33)}"}\n`;
  expect(Buffer.byteLength(line(65_536))).toBe(65_536);
  expect(read(line(65_536))[0]?.[0]).toBe('error');
  const levels = read(`${line(65_537)}[INFO] next\n`).map(([level]) => level);
  expect(levels).toEqual(['debug', 'debug', 'info']);
});
