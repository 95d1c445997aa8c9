import { expect, test } from 'vitest';
import { type Duration, durationMs } from './duration.ts';
import { allow, deny } from './verdict.ts';

test.each<[Duration, number]>([
  ['30s', 30_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['0s', 0],
])('%s are %i ms', (text, ms) => {
  expect(durationMs(text)).toBe(ms);
});

test.each([300, '300', '5min', '1.5h', '-1s', '5 m', '', '9999999s', null, undefined])(
  'the duration %j is refused',
  (value) => {
    expect(() => durationMs(value as Duration)).toThrow("Write for example '30s', '5m' or '1h'.");
  },
);

test('verdicts are plain values', () => {
  expect(allow()).toEqual({ allowed: true });
  expect(allow({ for: '5m', protocols: 'all' })).toEqual({ allowed: true, forMs: 300_000, protocols: 'all' });
  expect(deny('banned', { for: '30s' })).toEqual({ allowed: false, reason: 'banned', forMs: 30_000 });
  expect(allow({ for: '5m', staleWhileRevalidate: '1m', staleIfError: '0s' })).toEqual({
    allowed: true,
    forMs: 300_000,
    staleWhileRevalidateMs: 60_000,
    staleIfErrorMs: 0,
  });
  expect(() => allow({ staleIfError: '1d' as '1h' })).toThrow('the duration "1d" cannot be read');
  expect(() => allow({ for: 5 as unknown as '5s' })).toThrow('the duration 5 cannot be read');
});
