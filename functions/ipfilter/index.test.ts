import { afterEach, expect, test, vi } from 'vitest';
import { call } from '../kit/test.ts';
import example from './example.ts';
import { ipfilterRules } from './index.ts';

afterEach(() => vi.restoreAllMocks());

test.each([
  ['203.0.113.9', 'SSH', true, 'rules[1]'],
  ['::ffff:203.0.113.9', 'SSH', true, 'rules[1]'],
  ['203.0.113.66', 'SSH', false, 'rules[0] "misbehaved"'],
  ['2001:db8:7::1', 'FTP', true, 'rules[1]'],
  ['2001:db8:7:bad::1', 'FTP', false, 'rules[0] "misbehaved"'],
  ['198.51.100.7', 'HTTP', true, 'rules[2]'],
  ['198.51.100.7', 'SSH', false, 'no rule matches and the default is deny'],
  ['198.51.100.7', '', false, 'no rule matches and the default is deny'],
  ['192.0.2.1', 'HTTP', false, 'no rule matches and the default is deny'],
  ['2001:db8:9::1', 'SSH', false, 'no rule matches and the default is deny'],
] as const)('the example, asked about %s over %s: %s', async (ip, protocol, allowed, reason) => {
  expect(await call(example).checkIP({ ip, protocol })).toMatchObject({ allowed, reason, forMs: 60_000 });
});

test('a verdict holds for the network and the protocols that the same rule decides for', async () => {
  const scope = async (ip: string, protocol: 'SSH' | 'HTTP' | '') =>
    (await call(example).checkIP({ ip, protocol })).scope;
  expect(await scope('203.0.113.9', 'SSH')).toBe('203.0.113.0/26');
  expect(await scope('203.0.113.67', 'SSH')).toBe('203.0.113.67/32');
  expect(await scope('198.51.100.7', 'HTTP')).toBe('198.51.100.0/24;protocols="DAV HTTP"');
  // nothing is for SSH there: the default decides in a wider network, but no wider than a /16
  expect(await scope('198.51.100.7', 'SSH')).toBe('198.51.0.0/16;protocols="SSH FTP"');
  expect(await scope('198.51.100.7', '')).toBe('198.51.0.0/16');
  expect(await scope('2001:db8:7::1', 'SSH')).toBe('2001:db8:7::/53');
  expect(await scope('2001:db9::1', 'SSH')).toBe('2001:db9::/32');
});

test('a verdict is for another protocol only where the same holds in as wide a network', async () => {
  const office = ipfilterRules({
    default: 'deny',
    rules: [
      { action: 'deny', networks: ['203.0.113.128/25'], protocols: ['HTTP'] },
      { action: 'allow', networks: ['203.0.113.0/24'] },
    ],
  });
  const scope = async (ip: string, protocol: 'SSH' | 'HTTP') =>
    (await call(office).checkIP({ ip, protocol })).scope;
  // for all protocols it would let 203.0.113.200 in by HTTP
  expect(await scope('203.0.113.7', 'SSH')).toBe('203.0.113.0/24;protocols="SSH FTP DAV"');
  expect(await scope('203.0.113.7', 'HTTP')).toBe('203.0.113.0/25');
});

test('without rules the default decides; decisions last five minutes unless a rule says otherwise', async () => {
  expect(
    await call(ipfilterRules({ default: 'allow', rules: [] })).checkIP({ ip: '192.0.2.1' }),
  ).toMatchObject({
    allowed: true,
    forMs: 300_000,
  });
  const brief = ipfilterRules({
    default: 'allow',
    rules: [{ action: 'deny', networks: ['192.0.2.1'], for: '10s' }],
  });
  expect(await call(brief).checkIP({ ip: '192.0.2.1' })).toMatchObject({ reason: 'rules[0]', forMs: 10_000 });
});

test('a rule that continues shortens the life of the decision, and its reason comes first', async () => {
  const watched = ipfilterRules({
    default: 'allow',
    rules: [
      { action: 'continue', networks: ['192.0.2.0/24'], reason: 'watched', for: '10s' },
      { action: 'deny', networks: ['192.0.2.1'], for: '20s' },
    ],
  });
  const ask = (ip: string) => call(watched).checkIP({ ip });
  expect(await ask('192.0.2.1')).toMatchObject({ reason: 'rules[0] "watched"; rules[1]', forMs: 10_000 });
  expect(await ask('192.0.2.2')).toMatchObject({ allowed: true, forMs: 10_000 });
  expect(await ask('192.0.3.1')).toMatchObject({ allowed: true, forMs: 300_000 });
});

test('what comes after the life of a decision is said by the list, and shortened by a rule that continues', async () => {
  const watched = ipfilterRules({
    default: 'allow',
    for: '1m',
    staleWhileRevalidate: '1m',
    staleIfError: '0s',
    rules: [
      { action: 'continue', networks: ['192.0.2.0/24'], reason: 'watched', for: '90s' },
      { action: 'continue', networks: ['192.0.2.0/23'], reason: 'seen' },
    ],
  });
  const ask = (ip: string) => call(watched).checkIP({ ip });
  expect(await ask('192.0.2.1')).toMatchObject({
    forMs: 60_000,
    staleWhileRevalidateMs: 30_000,
    staleIfErrorMs: 0,
  });
  expect(await ask('192.0.3.1')).toMatchObject({ forMs: 60_000, staleWhileRevalidateMs: 60_000 });
  const plain = await call(ipfilterRules({ default: 'allow', rules: [] })).checkIP({ ip: '192.0.2.1' });
  expect(plain).not.toHaveProperty('staleWhileRevalidateMs');
  expect(plain).not.toHaveProperty('staleIfErrorMs');
});

test('a rule that can never match is pointed out', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const { warnings } = ipfilterRules({
    default: 'deny',
    rules: [
      { action: 'allow', networks: ['0.0.0.0/0'] },
      { action: 'deny', networks: ['192.0.2.1'] },
    ],
  });
  expect(warnings).toEqual(['rules[1] can never match: earlier rules decide for all of its addresses']);
  expect(warn).toHaveBeenCalledOnce();
  expect(example.warnings).toEqual([]);
});
