import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { filterOf } from '../../../test/support/ipfilter.ts';
import { factsWith, failure, signedError } from '../../../test/support/policies.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const admitted = '198.51.100.7';
const banned = '203.0.113.66';
const stranger = '192.0.2.99';

/** What docs/reliability.md says of each second, s, of an outage; `restarted`: the adapter's start, if it had one. */
function documented(s: number, onUnavailable: 'deny' | 'allow', restarted: number) {
  const nothing = onUnavailable === 'allow' ? 'answered by on-unavailable' : 'UNREACHABLE';
  const known = (verdict: string, freshS: number, revalidateS: number, errorS: number) => {
    if (s >= restarted) return nothing;
    if (s < freshS) return `${verdict} by cache`;
    if (s < freshS + revalidateS) return `${verdict} by cache, being revalidated`;
    return s < freshS + errorS ? `${verdict} by cache, stale` : nothing;
  };
  return {
    loopback: 'answered by always-allow',
    noAddress: 'INPUT_INVALID',
    // max-age=60, stale-while-revalidate=30, stale-if-error=1800, for its network
    admitted: known('answered', 60, 30, 1800),
    neighbour: known('answered', 60, 30, 1800),
    // max-age=300 of a function that says no more: cache.staleIfError, 50 minutes here
    banned: known('DENIED', 300, 0, 3000),
    stranger: nothing,
  };
}

test.each([
  ['deny', Number.POSITIVE_INFINITY],
  ['allow', Number.POSITIVE_INFINITY],
  ['deny', 600],
  ['allow', 600],
] as const)(
  'the edge is cut for an hour, onUnavailable %s, restart at second %d',
  async (onUnavailable, restart) => {
    const section = { onUnavailable, cache: { staleIfError: '50m' } };
    const cut = failure('UNREACHABLE');
    let adapter = filterOf(
      section,
      factsWith({
        scope: '198.51.100.0/24',
        freshMs: 60_000,
        staleWhileRevalidateMs: 30_000,
        staleMs: 1_800_000,
      }),
      signedError('permission_denied', { scope: `${banned}/32`, freshMs: 300_000 }),
      cut,
    );
    await adapter.see(admitted);
    await adapter.see(banned);
    for (let second = 0; second < 3600; second += 1) {
      if (second === restart) adapter = filterOf(section, cut);
      const { see } = adapter;
      const seen = {
        loopback: await see('127.0.0.1'),
        noAddress: await see('@'),
        admitted: await see(admitted, 'FTP'),
        neighbour: await see('198.51.100.200'),
        banned: await see(banned),
        stranger: await see(stranger),
      };
      expect({ second, ...seen }).toEqual({ second, ...documented(second, onUnavailable, restart) });
      // a clock that is set moves nothing
      if (second % 700 === 0) vi.setSystemTime(Date.now() + (second % 1400 === 0 ? 86_400_000 : -90_000_000));
      await vi.advanceTimersByTimeAsync(1000);
    }
  },
);

test('when the line is back, the function decides again after the rest of the breaker', async () => {
  const { see } = filterOf(
    { onUnavailable: 'allow' },
    ...Array(20).fill(failure('UNREACHABLE')),
    signedError('permission_denied'),
  );
  for (let second = 0; second < 120; second += 1) {
    expect(await see(`10.0.0.${second}`)).toMatch(second < 60 ? /./ : /^DENIED$/);
    await vi.advanceTimersByTimeAsync(1000);
  }
});
