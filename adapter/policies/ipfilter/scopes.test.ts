import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { filterOf } from '../../../test/support/ipfilter.ts';
import { askedProtocols } from '../../../test/support/naive-filter.ts';
import { factsWith, failure, signedError } from '../../../test/support/policies.ts';
import type { Facts, Trace } from '../../shapes.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const minute = { freshMs: 60_000 };
const allow = (scope: string, facts: Partial<Facts> = minute) => factsWith({ ...facts, scope });
const deny = (scope: string, facts: Partial<Facts> = minute) =>
  signedError('permission_denied', { ...facts, scope });

test('a verdict decides for its network and its protocols, and for nobody else', async () => {
  const { see, next } = filterOf({}, allow('198.51.100.0/24;protocols="SSH FTP"'), deny('0.0.0.0/32'));
  await see('198.51.100.7');
  expect([await see('198.51.100.0'), await see('198.51.100.255', 'FTP')]).toEqual([
    'answered by cache',
    'answered by cache',
  ]);
  expect(next.calls).toHaveLength(1);
  for (const [ip, protocol] of [
    ['198.51.99.255', 'SSH'],
    ['198.51.101.0', 'SSH'],
    ['::198.51.100.7', 'SSH'],
    ['198.51.100.7', 'HTTP'],
    ['198.51.100.7', 'GOPHER'],
    ['198.51.100.7', ''],
  ] as const) {
    expect(await see(ip, protocol)).toBe('DENIED');
  }
});

test('questions at the same moment about two protocols, or two addresses, do not share an answer', async () => {
  const yes = Promise.resolve(allow('198.51.100.7/32;protocols="SSH"'));
  const { see } = filterOf({}, yes, deny('198.51.100.7/32;protocols="HTTP"'), deny('198.51.100.8/32'));
  const outcomes = [see('198.51.100.7', 'SSH'), see('198.51.100.7', 'HTTP'), see('198.51.100.8', 'SSH')];
  expect(await Promise.all(outcomes)).toEqual(['answered', 'DENIED', 'DENIED']);
});

test('a verdict without protocols is for all of them, also those to come', async () => {
  const { see, next } = filterOf({}, allow('2001:db8:7::/48'));
  for (const protocol of askedProtocols) await see('2001:db8:7::1', protocol);
  expect(next.calls).toHaveLength(1);
});

test('without a scope, a verdict is about one address and one protocol', async () => {
  const { see, next } = filterOf({}, factsWith(minute));
  for (const [ip, protocol] of [
    ['198.51.100.7', 'SSH'],
    ['198.51.100.7', 'FTP'],
    ['198.51.100.8', 'SSH'],
  ]) {
    await see(ip ?? '', protocol);
  }
  expect(next.calls).toHaveLength(3);
});

test('a scope of the whole internet for a year is a /16 for five minutes, and counted', async () => {
  const year = 31_536_000_000;
  const { see, counts } = filterOf(
    {},
    allow('0.0.0.0/0', { freshMs: year, staleMs: year, staleWhileRevalidateMs: year }),
    allow('::/0', { freshMs: year }),
    deny('198.50.0.0/32'),
  );
  await see('198.51.100.7');
  await see('2001:db8::1');
  expect(await see('198.51.0.0')).toBe('answered by cache');
  expect(await see('2001:db8:ffff::1')).toBe('answered by cache');
  expect([await see('198.50.255.255'), await see('198.52.0.0'), await see('2001:db9::')]).toEqual([
    'DENIED',
    'DENIED',
    'DENIED',
  ]);
  vi.advanceTimersByTime(300_000);
  expect(await see('198.51.0.0')).toBe('answered by cache, being revalidated');
  vi.advanceTimersByTime(300_000);
  expect(await see('2001:db8:ffff::1')).toBe('DENIED');
  expect(counts.get('ipfilter_clamped width')).toBe(2);
  expect(counts.get('ipfilter_clamped max-age')).toBe(2);
  expect(counts.get('ipfilter_clamped stale-if-error')).toBe(1);
  expect(counts.get('ipfilter_clamped stale-while-revalidate')).toBe(1);
});

test('cache.widestScope says how wide is too wide', async () => {
  const { see, next } = filterOf({ cache: { widestScope: { ipv4: 8, ipv6: 128 } } }, allow('10.0.0.0/8'));
  await see('10.0.0.1');
  expect(await see('10.255.0.1')).toBe('answered by cache');
  expect(next.calls).toHaveLength(1);
});

test.each([
  '198.51.100.8/32',
  '2001:db8::/32',
  '::/0',
  '198.51.100.7/24',
  '198.51.100.7/33',
  '198.51.100.7',
  '198.51.100.0/24;protocols="FTP"',
  '198.51.100.0/24;protocols="ssh"',
  '198.51.100.0/24;protocols=""',
  '198.51.100.0/24;protocols="SSH',
  '198.51.100.0/24; protocols="SSH", 0.0.0.0/0',
  'fe80::%eth0/64',
  'everything',
])('a verdict about %s is used once and not kept, and counted', async (scope) => {
  const { see, counts, next } = filterOf({}, allow(scope));
  expect([await see('198.51.100.7'), await see('198.51.100.7')]).toEqual(['answered', 'answered']);
  expect(next.calls).toHaveLength(2);
  expect(counts.get('ipfilter_clamped scope')).toBe(2);
});

test('protocols that SFTPGo does not have are no harm', async () => {
  const many = Array.from({ length: 60 }, (_, n) => `P${String.fromCharCode(65 + (n % 26), 65 + n / 26)}`);
  const { see, next } = filterOf({}, allow(`198.51.100.0/24;protocols="${many.join(' ')} SSH"`));
  await see('198.51.100.7');
  expect(await see('198.51.100.8')).toBe('answered by cache');
  // and a host that asks about ever new ones gets verdicts of its own for each
  for (const protocol of many) await see('198.51.100.9', protocol);
  expect(next.calls).toHaveLength(1 + many.length);
});

test('the longest network decides, whichever came first', async () => {
  for (const wideFirst of [true, false]) {
    const wide = allow('198.51.100.0/24');
    const narrow = deny('198.51.100.128/25');
    const { see } = filterOf({}, ...(wideFirst ? [wide, narrow] : [narrow, wide]));
    await see(wideFirst ? '198.51.100.1' : '198.51.100.200');
    // about another protocol: what is known answers for this one
    await see(wideFirst ? '198.51.100.200' : '198.51.100.1', wideFirst ? 'SSH' : 'FTP');
    expect(await see('198.51.100.1')).toBe('answered by cache');
    expect(await see('198.51.100.200')).toBe(wideFirst ? 'answered by cache' : 'DENIED by cache');
  }
});

test('two fresh verdicts about one network and protocol: deny wins, in either order', async () => {
  const yes = allow('198.51.100.0/24;protocols="SSH FTP"');
  const no = deny('198.51.100.0/24;protocols="SSH HTTP"');
  const first = filterOf({}, yes, no);
  await first.see('198.51.100.1', 'FTP');
  await first.see('198.51.100.1', 'HTTP');
  const second = filterOf({}, no, yes);
  await second.see('198.51.100.1', 'HTTP');
  await second.see('198.51.100.1', 'FTP');
  for (const { see } of [first, second]) {
    expect(await see('198.51.100.2', 'SSH')).toBe('DENIED by cache');
    expect(await see('198.51.100.2', 'FTP')).toBe('answered by cache');
    expect(await see('198.51.100.2', 'HTTP')).toBe('DENIED by cache');
  }
});

test('a stale deny gives way to a fresh allow', async () => {
  const { see } = filterOf({}, deny('198.51.100.0/24', { freshMs: 1000 }), allow('198.51.100.0/24'));
  await see('198.51.100.1');
  vi.advanceTimersByTime(1000);
  expect([await see('198.51.100.1'), await see('198.51.100.2')]).toEqual(['answered', 'answered by cache']);
});

test('a stale verdict about one address does not make it ask for ever', async () => {
  const { see, next } = filterOf({}, deny('198.51.100.7/32', { freshMs: 1000 }), allow('198.51.100.0/24'));
  await see('198.51.100.7');
  vi.advanceTimersByTime(1000);
  expect([await see('198.51.100.7'), await see('198.51.100.7')]).toEqual(['answered', 'answered by cache']);
  expect(next.calls).toHaveLength(2);
});

test('a fresh deny of one address outlasts an allow of its network', async () => {
  const { see } = filterOf({}, deny('198.51.100.7/32;protocols="SSH"'), allow('198.51.100.0/24'));
  await see('198.51.100.7', 'SSH');
  await see('198.51.100.7', 'FTP');
  expect([await see('198.51.100.7', 'SSH'), await see('198.51.100.8', 'SSH')]).toEqual([
    'DENIED by cache',
    'answered by cache',
  ]);
});

test('a verdict that may not be kept ends all that is known of its address and protocol', async () => {
  const { see } = filterOf(
    {},
    allow('198.51.0.0/16', { freshMs: 300_000 }),
    allow('198.51.100.0/24', { freshMs: 1000 }),
    signedError('permission_denied'),
  );
  await see('198.51.1.1');
  await see('198.51.100.7', 'SSH');
  vi.advanceTimersByTime(300_000);
  expect([await see('198.51.100.7'), await see('198.51.100.7')]).toEqual(['answered', 'answered by cache']);
  vi.advanceTimersByTime(1000);
  expect([await see('198.51.100.7'), await see('198.51.100.7')]).toEqual(['DENIED', 'DENIED']);
});

test('what a verdict was for is shown again, from memory too, and its reason is in the log', async () => {
  const { ask, log } = filterOf({}, allow('198.51.100.0/24', { ...minute, reason: 'country DE' }));
  for (const by of ['the function', 'cache']) {
    const trace: Trace = {};
    const reply = await ask('198.51.100.7', 'SSH', { trace });
    expect(reply.facts).toMatchObject({ reason: 'country DE', version: 'a build', evidence: 'claimed' });
    expect(log.lines.at(-1)).toEqual({
      level: 'debug',
      text: expect.stringMatching(
        `^verdict .*ip=198.51.100.7 protocol=SSH verdict=allow by=${by} reason=country DE`,
      ),
    });
  }
});

test('verdicts from memory are logged once a second for each address and protocol', async () => {
  const { see, log } = filterOf({}, allow('198.51.100.0/24', minute));
  const lines = () => log.lines.filter(({ text }) => text.startsWith('verdict')).length;
  for (let n = 0; n < 10; n += 1) await see('198.51.100.7');
  expect(lines()).toBe(2);
  await see('198.51.100.7', 'HTTP');
  await see('198.51.100.8');
  expect(lines()).toBe(4);
  vi.advanceTimersByTime(1000);
  for (let n = 0; n < 10; n += 1) await see('198.51.100.7');
  expect(lines()).toBe(5);
  for (let n = 0; n < 3000; n += 1) await see(`198.51.100.${n & 255}`, `P${n >> 8}`);
  expect(lines()).toBeLessThan(1100);
});

test('a clock that jumps moves no verdict', async () => {
  const { see } = filterOf({}, allow('198.51.100.0/24'), deny('198.51.100.0/24'));
  await see('198.51.100.7');
  vi.setSystemTime(Date.now() + 31_536_000_000);
  expect(await see('198.51.100.7')).toBe('answered by cache');
  vi.setSystemTime(0);
  vi.advanceTimersByTime(60_000);
  expect(await see('198.51.100.7')).toBe('DENIED');
});

test('an outage: nobody is let in by a verdict that a later ban of the network around has taken back', async () => {
  const away = failure('UNREACHABLE');
  const stale = { freshMs: 60_000, staleMs: 3_600_000 };
  const { see } = filterOf(
    {},
    allow('198.51.100.7/32', stale),
    allow('198.51.100.9/32', stale),
    deny('198.51.100.0/24', stale),
    allow('198.51.100.9/32', stale),
    away,
  );
  await see('198.51.100.7');
  await see('198.51.100.9');
  vi.advanceTimersByTime(61_000);
  expect(await see('198.51.100.8')).toBe('DENIED');
  // said after the ban, so an exception to it
  expect(await see('198.51.100.9')).toBe('answered');
  expect(await see('198.51.100.7')).toBe('DENIED by cache, stale');
  vi.advanceTimersByTime(600_000);
  expect(await see('198.51.100.7')).toBe('DENIED by cache, stale');
  expect(await see('198.51.100.9')).toBe('answered by cache, stale');
});

test('a verdict that a later ban around it has taken back is not used while it is asked again either', async () => {
  const { see } = filterOf(
    {},
    allow('198.51.100.7/32', { freshMs: 60_000, staleWhileRevalidateMs: 300_000 }),
    deny('198.51.100.0/24'),
  );
  await see('198.51.100.7');
  vi.advanceTimersByTime(61_000);
  expect(await see('198.51.100.8')).toBe('DENIED');
  expect(await see('198.51.100.7')).toBe('DENIED');
});

test('a ban that comes in while a question is under way counts, though the question fails', async () => {
  const slow = Promise.withResolvers<Error>();
  const stale = { freshMs: 60_000, staleMs: 3_600_000 };
  const { see } = filterOf({}, allow('198.51.100.7/32', stale), slow.promise, deny('198.51.100.0/24', stale));
  await see('198.51.100.7');
  vi.advanceTimersByTime(61_000);
  const asked = see('198.51.100.7');
  expect(await see('198.51.100.8')).toBe('DENIED');
  slow.resolve(signedError('unavailable'));
  expect(await asked).toBe('DENIED by cache, stale');
});

test('an IPv6 address whose groups read as the number of an IPv4 address shares no question with it', async () => {
  const { see } = filterOf({}, Promise.resolve(allow('31:32:33:34:35:36:37:38/128')), deny('0.188.97.78/32'));
  const asked = [see('31:32:33:34:35:36:37:38'), see('0.188.97.78')];
  expect(await Promise.all(asked)).toEqual(['answered', 'DENIED']);
});
