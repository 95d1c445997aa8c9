import { expect, test } from 'vitest';
import { type LogSource, printable, showLine } from './line.ts';
import { mergedLines } from './merge.ts';

const line = (name: string, atMs: number, text = `at ${atMs}`) => ({
  atMs,
  function: name,
  id: String(atMs),
  text,
});
const source = (name: string, looks: readonly (readonly number[])[]): LogSource => {
  let look = 0;
  return {
    function: name,
    async read() {
      const times = looks[Math.min(look, looks.length - 1)] ?? [];
      look += 1;
      return times.map((atMs) => line(name, atMs));
    },
  };
};

test('the lines of two clouds come as one stream, by time, with the name of their function', async () => {
  const sources = [source('team@live', [[3000, 1000]]), source('office@live', [[2000]])];
  const shown: string[] = [];
  for await (const lines of mergedLines(sources, { fromMs: 0 })) shown.push(...lines.map(showLine));
  expect(shown).toEqual([
    '1970-01-01T00:00:01.000Z team@live at 1000',
    '1970-01-01T00:00:02.000Z office@live at 2000',
    '1970-01-01T00:00:03.000Z team@live at 3000',
  ]);
});

test('a line that is still there at the next look comes once, and following ends when it is told', async () => {
  const now = Date.now();
  const stop = new AbortController();
  const sources = [source('office@live', [[now], [now, now + 1], [now, now + 1]])];
  const batches: number[][] = [];
  for await (const lines of mergedLines(sources, { fromMs: now, followEveryMs: 1, signal: stop.signal })) {
    batches.push(lines.map(({ atMs }) => atMs));
    if (batches.length === 3) stop.abort();
  }
  expect(batches).toEqual([[now], [now + 1], []]);
});

test('what a stranger sent cannot steer a terminal, and one line stays one', () => {
  const escape_ = String.fromCharCode(27);
  expect(printable(`a${escape_}[2Jb\r\nc\u202ed\u2028e\u0000f\n`)).toBe('a [2Jb c d e f');
  expect(printable('x'.repeat(5000))).toHaveLength(4000);
});
