import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  formatCache,
  formatElapsed,
  formatReason,
  formatScope,
  parseCache,
  parseElapsed,
  parseGrant,
  parseScope,
  pluginHeaders,
} from './facts.ts';

test('every header is signed, which its name decides', () => {
  for (const name of Object.values(pluginHeaders)) expect(name).toMatch(/^plugin-[a-z-]+$/);
});

test.each([
  ['max-age=60', { freshMs: 60_000 }],
  ['max-age=0', { freshMs: 0 }],
  [
    'max-age=60, stale-while-revalidate=30, stale-if-error=3600',
    { freshMs: 60_000, staleWhileRevalidateMs: 30_000, staleMs: 3_600_000 },
  ],
  [' Stale-If-Error=5 ,MAX-AGE=1', { freshMs: 1000, staleMs: 5000 }],
  ['public, max-age=60, immutable, s-maxage=9, community="uci"', { freshMs: 60_000 }],
  ['must-revalidate', {}],
])('plugin-cache %s is read', (text, lifetimes) => {
  expect(parseCache(text)).toEqual(lifetimes);
});

test.each([
  undefined,
  '',
  'no-store',
  'max-age=60, no-store',
  'no-cache="x", max-age=60',
  'max-age=60, max-age=60',
  'max-age=60, max-age=1',
  'max-age',
  'max-age=',
  'max-age="60"',
  'max-age=-1',
  'max-age=6e3',
  'max-age=1.5',
  'max-age=99999999999',
  'max-age = 60',
  'max-age=60;',
  'max-age=60,',
  'max-age=60, stale-if-error=x',
  'max-age=60 stale-if-error=1',
])('plugin-cache %s means: keep nothing', (text) => {
  expect(parseCache(text)).toBeUndefined();
});

test('what is written into plugin-cache is read back, in whole seconds', () => {
  const seconds = fc.option(fc.integer({ min: 1, max: 86_400 }), { nil: undefined });
  fc.assert(
    fc.property(seconds, seconds, seconds, (fresh, revalidate, stale) => {
      const lifetimes = {
        ...(fresh ? { freshMs: fresh * 1000 } : {}),
        ...(revalidate ? { staleWhileRevalidateMs: revalidate * 1000 } : {}),
        ...(stale ? { staleMs: stale * 1000 } : {}),
      };
      expect(parseCache(formatCache(lifetimes)) ?? {}).toEqual(lifetimes);
    }),
  );
  expect(formatCache({ freshMs: 1999, staleMs: 999 })).toBe('max-age=1');
  expect(formatCache({})).toBe('');
});

test('a zero is written where something else is kept', () => {
  expect(formatCache({ freshMs: 60_000, staleMs: 0 })).toBe('max-age=60, stale-if-error=0');
  expect(formatCache({ freshMs: 0, staleMs: 60_000 })).toBe('max-age=0, stale-if-error=60');
  expect(formatCache({ freshMs: 0, staleWhileRevalidateMs: 0, staleMs: 0 })).toBe('');
});

test.each([
  ['203.0.113.0/24', { prefix: '203.0.113.0/24' }],
  ['2001:db8::/32;protocols="SSH"', { prefix: '2001:db8::/32', protocols: ['SSH'] }],
  ['203.0.113.7/32;protocols="SSH FTP DAV"', { prefix: '203.0.113.7/32', protocols: ['SSH', 'FTP', 'DAV'] }],
])('plugin-scope %s is read and written', (text, scope) => {
  expect(parseScope(text)).toEqual(scope);
  expect(formatScope(scope)).toBe(text);
});

test.each([
  '',
  '203.0.113.0',
  'example.com/24',
  '203.0.113.0/24;protocols=SSH',
  '203.0.113.0/24;protocols=""',
  '203.0.113.0/24;protocols="SSH  FTP"',
  '203.0.113.0/24;protocols="SSH";protocols="FTP"',
  '203.0.113.0/24;PROTOCOLS="SSH"',
  '203.0.113.0/24, 198.51.100.0/24',
  '203.0.113.0/24;ports="22"',
  `${'1'.repeat(60)}/24`,
])('plugin-scope %s is no scope', (text) => {
  expect(parseScope(text)).toBeUndefined();
});

test('plugin-reason is short and printable', () => {
  const codeUnits = fc
    .array(fc.nat(0xffff), { maxLength: 300 })
    .map((codes) => String.fromCharCode(...codes));
  expect(formatReason('banned until 12:00')).toBe('banned until 12:00');
  expect(formatReason(' line\r\nbreak: é\u{1f600}\0 ')).toBe('line??break: ????');
  expect(formatReason('x'.repeat(500))).toHaveLength(200);
  fc.assert(
    fc.property(codeUnits, (text) => {
      expect(formatReason(text)).toMatch(/^[ -~]{0,200}$/);
      expect(formatReason(formatReason(text))).toBe(formatReason(text));
    }),
  );
});

test('plugin-elapsed is decimal milliseconds', () => {
  expect(formatElapsed(1.23456)).toBe('1.235');
  expect(formatElapsed(0)).toBe('0');
  expect(formatElapsed(-5)).toBe('0');
  expect(parseElapsed(formatElapsed(12.5))).toBe(12.5);
  for (const text of [undefined, '', '-1', '1e3', '1.2345', 'NaN', '9999999999']) {
    expect(parseElapsed(text)).toBeUndefined();
  }
});

test('plugin-grant is one of three words', () => {
  expect(['merge', 'replace', 'unchanged'].map(parseGrant)).toEqual(['merge', 'replace', 'unchanged']);
  expect(['', 'Merge', 'merge ', undefined].map(parseGrant)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
