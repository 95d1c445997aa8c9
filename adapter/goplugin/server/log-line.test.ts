import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatLogLine, logLevels, maxLineBytes } from './log-line.ts';

const parse = (line: string): Record<string, unknown> => JSON.parse(line);

test('level, message and module, and no time of our own', () => {
  expect(parse(formatLogLine('warn', 'slow', { ms: 12 }, 'kv.disk'))).toEqual({
    '@level': 'warn',
    '@message': 'slow',
    '@module': 'kv.disk',
    ms: '12',
  });
});

test('values of every kind become text', () => {
  const failure = new Error('broken');
  const line = parse(
    formatLogLine('info', 'm', {
      big: 2n ** 63n,
      flag: true,
      nothing: null,
      missing: undefined,
      list: [1, 2n],
      nested: { a: 1 },
      failure,
      symbol: Symbol('s'),
    }),
  );
  expect(line).toMatchObject({
    big: '9223372036854775808',
    flag: 'true',
    nothing: 'null',
    list: '[1,"2"]',
    nested: '{"a":1}',
    symbol: 'Symbol(s)',
  });
  expect(line['failure']).toContain('Error: broken');
  expect(line).not.toHaveProperty('missing');
});

test('keys that the host uses itself are renamed', () => {
  const line = parse(
    formatLogLine('info', 'm', {
      level: 1,
      time: 1,
      sender: 1,
      message: 1,
      timestamp: 1,
      '@level': 'off',
      '@x': 1,
    }),
  );
  expect(Object.keys(line).toSorted()).toEqual(
    ['@level', '@message', 'level_', 'message_', 'sender_', 'time_', 'timestamp_', 'x'].toSorted(),
  );
  expect(line['@level']).toBe('info');
});

test.each([
  ['a message', 'x'.repeat(1_000_000), {}],
  ['a value', 'm', { body: '\u0001'.repeat(200_000) }],
  [
    'many values',
    'm',
    Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, '€'.repeat(1000)])),
  ],
  ['a key', 'm', { ['\u0001'.repeat(100_000)]: 'v' }],
  ['surrogates', '😀'.repeat(100_000), { half: '\ud83d'.repeat(100_000) }],
])('%s beyond 64 KiB is cut, and the line stays JSON', (_, message, fields) => {
  const line = formatLogLine('error', message, fields);
  expect(Buffer.byteLength(line)).toBeLessThanOrEqual(maxLineBytes);
  expect(parse(line)['@level']).toBe('error');
});

test('what cannot be read does not throw', () => {
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  const hostile = {
    get getter(): string {
      throw new Error('no');
    },
    cycle,
    text: { toJSON: () => BigInt(1) },
  };
  expect(parse(formatLogLine('info', 'm', hostile))).toMatchObject({
    getter: '[unreadable]',
    cycle: '[unreadable]',
  });
});

test('every line is one line of strings within the limit', () => {
  void fc.assert(
    fc.property(fc.constantFrom(...logLevels), fc.string(), fc.object(), (level, message, fields) => {
      const line = formatLogLine(level, message, fields);
      expect(line.indexOf('\n')).toBe(line.length - 1);
      expect(Buffer.byteLength(line)).toBeLessThanOrEqual(maxLineBytes);
      for (const value of Object.values(parse(line))) expect(typeof value).toBe('string');
    }),
    { numRuns: 1000 },
  );
});
