import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { filterOf } from '../../../test/support/ipfilter.ts';
import { factsWith, failure, signedError } from '../../../test/support/policies.ts';
import type { Facts } from '../../shapes.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const denied = signedError('permission_denied', { freshMs: 60_000 });

test('alwaysAllow networks are decided first and never asked about', async () => {
  const { see, next } = filterOf({}, denied);
  for (const ip of ['127.0.0.1', '127.255.0.1', '::1', '::ffff:127.0.0.1']) {
    expect(await see(ip)).toBe('answered by always-allow');
  }
  expect(next.calls).toHaveLength(0);
  expect(await see('128.0.0.1')).toBe('DENIED');
  const own = filterOf({ alwaysAllow: ['203.0.113.0/24'] }, denied);
  expect([await own.see('203.0.113.9'), await own.see('127.0.0.1')]).toEqual([
    'answered by always-allow',
    'DENIED',
  ]);
});

test('alwaysAllow holds through an outage and through drift', async () => {
  const { see } = filterOf({}, failure('DRIFT'));
  expect([await see('127.0.0.1'), await see('198.51.100.7')]).toEqual(['answered by always-allow', 'DRIFT']);
});

test.each(['', 'localhost', '@', '300.1.1.1', '10.0.0.1/8', '10.0.0.1 '])(
  '"%s" is no address: denied whatever onUnavailable says, and not asked about',
  async (ip) => {
    const { see, next } = filterOf({ onUnavailable: 'allow' }, factsWith());
    expect(await see(ip)).toBe('INPUT_INVALID');
    expect(next.calls).toHaveLength(0);
  },
);

test.each([
  'UNREACHABLE',
  'DEADLINE',
  'ANSWER_UNSIGNED',
  'ANSWER_REFUSED',
  'ANSWER_INVALID',
  'CLOCK_SKEW',
] as const)('onUnavailable: allow lets in on %s; deny, the default, does not', async (code) => {
  expect(await filterOf({ onUnavailable: 'allow' }, failure(code)).see('198.51.100.7')).toBe(
    'answered by on-unavailable',
  );
  expect(await filterOf({}, failure(code)).see('198.51.100.7')).toBe(code);
});

test('a signed error of the function counts as unavailable; its denial does not', async () => {
  const section = { onUnavailable: 'allow' };
  expect(await filterOf(section, signedError('internal')).see('198.51.100.7')).toBe(
    'answered by on-unavailable',
  );
  expect(await filterOf(section, signedError('unauthenticated')).see('198.51.100.7')).toBe(
    'answered by on-unavailable',
  );
  expect(await filterOf(section, denied).see('198.51.100.7')).toBe('DENIED');
});

test.each([
  'DRIFT',
  'CONFIG_INVALID',
  'KEY_FILE_EXPOSED',
  'LOCK_INVALID',
  'LOCK_ROLLBACK',
  'OVERLOADED',
  'INTERNAL',
] as const)('onUnavailable: allow does not apply to %s', async (code) => {
  expect(await filterOf({ onUnavailable: 'allow' }, failure(code)).see('198.51.100.7')).toBe(code);
});

test('a remembered denial comes before onUnavailable: allow', async () => {
  const { see } = filterOf({ onUnavailable: 'allow' }, denied, failure('UNREACHABLE'));
  await see('198.51.100.7');
  vi.advanceTimersByTime(60_000);
  expect(await see('198.51.100.7')).toBe('DENIED by cache, stale');
  expect(await see('198.51.100.8')).toBe('answered by on-unavailable');
});

test('a time-out ends in the stale verdict, or in onUnavailable, by the deadline', async () => {
  const { see } = filterOf({ onUnavailable: 'allow' }, denied, new Promise(() => undefined));
  await see('198.51.100.7');
  vi.advanceTimersByTime(60_000);
  const outcomes = [see('198.51.100.7'), see('198.51.100.8')];
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await Promise.all(outcomes)).toEqual(['DENIED by cache, stale', 'answered by on-unavailable']);
});

test('an outage opens the breaker, and stale verdicts go on behind it', async () => {
  const { see, next } = filterOf({}, factsWith({ freshMs: 1000 }), failure('DEADLINE'));
  await see('198.51.100.7');
  vi.advanceTimersByTime(1000);
  for (let last = 1; last <= 20; last += 1) await see(`203.0.113.${last}`);
  expect(next.calls.length).toBeLessThan(21);
  const before = next.calls.length;
  expect(await see('198.51.100.7')).toBe('answered by cache, stale');
  expect(await see('203.0.113.99')).toBe('UNREACHABLE');
  expect(next.calls).toHaveLength(before);
});

test('verdicts are remembered for an address and a protocol; the spelling of the address does not matter', async () => {
  const { see, next } = filterOf({}, factsWith({ freshMs: 60_000 }));
  await see('198.51.100.7');
  expect(await see('::ffff:198.51.100.7')).toBe('answered by cache');
  expect(await see('198.51.100.7', 'FTP')).toBe('answered');
  await see('2001:db8::1');
  expect(await see('2001:0DB8:0:0::1')).toBe('answered by cache');
  expect(next.calls).toHaveLength(3);
});

test('no verdict is fresh for more than five minutes, whatever the function says', async () => {
  const { see } = filterOf(
    {},
    factsWith({ freshMs: 86_400_000, staleWhileRevalidateMs: 86_400_000 }),
    denied,
  );
  await see('198.51.100.7');
  vi.advanceTimersByTime(299_999);
  expect(await see('198.51.100.7')).toBe('answered by cache');
  vi.advanceTimersByTime(300_001);
  expect(await see('198.51.100.7')).toBe('DENIED');
});

test.each([
  ['as long as the configuration says', {}, 3_600_000],
  ['for less, if the function says so', { staleMs: 60_000 }, 60_000],
  ['for no more, even if the function says so', { staleMs: 86_400_000 }, 3_600_000],
])('a verdict outlives its freshness in an outage %s', async (_, facts: Partial<Facts>, forMs) => {
  const { see } = filterOf({}, factsWith({ freshMs: 1000, ...facts }), failure('ANSWER_UNSIGNED'));
  await see('198.51.100.7');
  vi.advanceTimersByTime(999 + forMs);
  expect(await see('198.51.100.7')).toBe('answered by cache, stale');
  vi.advanceTimersByTime(1);
  expect(await see('198.51.100.7')).toBe('ANSWER_UNSIGNED');
});

test.each([
  ['the address itself', '198.51.100.7/32', true],
  ['a network with the address', '198.51.100.0/24', true],
  ['the protocol that was asked about', '198.51.100.7/32;protocols="FTP SSH"', true],
  ['another address', '198.51.100.8/32', false],
  ['another network', '2001:db8::/32', false],
  ['another protocol', '198.51.100.7/32;protocols="FTP"', false],
  ['what is no network', '198.51.100.7/33', false],
  ['what is no scope', 'everything', false],
])('a verdict about %s is kept: %3$s', async (_, scope, kept) => {
  const { see } = filterOf({}, factsWith({ freshMs: 60_000, scope }));
  await see('198.51.100.7');
  expect(await see('198.51.100.7')).toBe(kept ? 'answered by cache' : 'answered');
});

test('Reload reaches the function, every time, and makes verdicts stale', async () => {
  const { see, reload, next } = filterOf({}, factsWith({ freshMs: 60_000 }));
  await see('198.51.100.7');
  expect([await reload(), await reload()]).toEqual(['answered', 'answered']);
  expect(await see('198.51.100.7')).toBe('answered');
  expect(next.calls.map(({ method }) => method.name)).toEqual(['CheckIP', 'Reload', 'Reload', 'CheckIP']);
});

test('a Reload that fails is an error, whatever onUnavailable says, in an outage too', async () => {
  const { see, reload } = filterOf({ onUnavailable: 'allow' }, failure('ANSWER_UNSIGNED'));
  expect(await reload()).toBe('ANSWER_UNSIGNED');
  expect(await see('198.51.100.7')).toBe('answered by on-unavailable');
  expect(await reload()).toBe('ANSWER_UNSIGNED');
});

test('while the code is not the locked one, only fresh verdicts count: for every address, also when the line is cut', async () => {
  const facts = { freshMs: 60_000, staleWhileRevalidateMs: 60_000, staleMs: 600_000 };
  const about = (ip: string, freshMs: number) => factsWith({ ...facts, freshMs, scope: `${ip}/32` });
  const { see } = filterOf(
    { onUnavailable: 'allow' },
    about('198.51.100.1', 10_000),
    about('198.51.100.2', 10_000),
    about('198.51.100.3', 300_000),
    failure('DRIFT'),
    failure('DRIFT'),
    failure('DRIFT'),
    failure('ANSWER_REFUSED'),
    factsWith(),
    failure('ANSWER_REFUSED'),
  );
  for (const last of [1, 2, 3]) await see(`198.51.100.${last}`);
  vi.advanceTimersByTime(10_000);
  expect(await see('203.0.113.1')).toBe('DRIFT');
  expect([await see('198.51.100.1'), await see('203.0.113.2')]).toEqual(['DRIFT', 'DRIFT']);
  expect(await see('198.51.100.3')).toBe('answered by cache');
  expect(await see('198.51.100.2')).toBe('answered by on-unavailable');
  expect([await see('203.0.113.4'), await see('198.51.100.2')]).toEqual([
    'answered',
    'answered by cache, being revalidated',
  ]);
});

test('a Reload drops nothing: until the function has answered, the old verdict stands in for it', async () => {
  const { see, reload } = filterOf(
    {},
    factsWith({ freshMs: 60_000, scope: '198.51.100.0/24' }),
    factsWith(),
    failure('ANSWER_UNSIGNED'),
    failure('ANSWER_UNSIGNED'),
    signedError('permission_denied', { freshMs: 60_000, scope: '198.51.100.0/24' }),
  );
  await see('198.51.100.1');
  await reload();
  expect([await see('198.51.100.1'), await see('198.51.100.2')]).toEqual([
    'answered by cache, stale',
    'answered by cache, stale',
  ]);
  expect([await see('198.51.100.3'), await see('198.51.100.1')]).toEqual(['DENIED', 'DENIED by cache']);
});

test('while addresses are allowed unasked, the log says so, and when that is over', async () => {
  const { see, log } = filterOf(
    { onUnavailable: 'allow' },
    failure('ANSWER_UNSIGNED'),
    failure('ANSWER_UNSIGNED'),
    denied,
  );
  const told = () => log.lines.filter(({ level }) => level !== 'debug').map(({ text }) => text);
  await see('198.51.100.1');
  await see('198.51.100.2');
  expect(told()).toEqual([
    'the function cannot be asked function=office@live code=ANSWER_UNSIGNED effect=addresses are allowed that nobody was asked about (onUnavailable: allow)',
  ]);
  expect(await see('198.51.100.3')).toBe('DENIED');
  expect(told().slice(1)).toEqual(['no address is allowed unasked any more function=office@live']);
});
