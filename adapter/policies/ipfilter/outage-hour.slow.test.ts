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

const never = Number.POSITIVE_INFINITY;

/** An hour without the function. */
interface Outage {
  /** How a question ends: the connection fails, or nothing answers until the deadline. */
  readonly cut: 'UNREACHABLE' | 'DEADLINE';
  readonly onUnavailable: 'deny' | 'allow';
  /** The second in which the adapter is started again. */
  readonly restart?: number;
  /** The second in which SFTPGo sends a Reload. */
  readonly reload?: number;
}

/** What docs/reliability.md says of each second, s, of an outage. */
function documented(s: number, { cut, onUnavailable, restart = never, reload = never }: Outage) {
  const nothing = onUnavailable === 'allow' ? 'answered by on-unavailable' : cut;
  const known = (verdict: string, freshS: number, revalidateS: number, errorS: number) => {
    if (s >= restart) return nothing;
    // after a Reload everything is stale; nothing is dropped, and nothing lives longer
    if (s <= reload && s < freshS) return `${verdict} by cache`;
    if (s <= reload && s < freshS + revalidateS) return `${verdict} by cache, being revalidated`;
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
    // that Reload is an error is all it says
    reload: s === reload ? cut : undefined,
  };
}

test.each<Outage>([
  { cut: 'UNREACHABLE', onUnavailable: 'deny' },
  { cut: 'UNREACHABLE', onUnavailable: 'allow' },
  { cut: 'UNREACHABLE', onUnavailable: 'deny', restart: 600 },
  { cut: 'UNREACHABLE', onUnavailable: 'allow', restart: 600 },
  { cut: 'UNREACHABLE', onUnavailable: 'deny', reload: 20 },
  { cut: 'UNREACHABLE', onUnavailable: 'allow', reload: 70 },
  { cut: 'DEADLINE', onUnavailable: 'deny' },
  { cut: 'DEADLINE', onUnavailable: 'allow' },
  { cut: 'DEADLINE', onUnavailable: 'deny', restart: 600 },
  { cut: 'DEADLINE', onUnavailable: 'allow', restart: 600 },
  { cut: 'DEADLINE', onUnavailable: 'deny', reload: 70 },
  { cut: 'DEADLINE', onUnavailable: 'allow', reload: 20 },
  { cut: 'DEADLINE', onUnavailable: 'allow', reload: 20, restart: 600 },
])(
  'the edge is cut for an hour, $cut, onUnavailable $onUnavailable, restart at second $restart, Reload at second $reload',
  async (outage) => {
    const { cut, onUnavailable, restart, reload } = outage;
    const section = { onUnavailable, cache: { staleIfError: '50m' } };
    const away = cut === 'UNREACHABLE' ? failure('UNREACHABLE') : new Promise<never>(() => undefined);
    let adapter = filterOf(
      section,
      factsWith({
        scope: '198.51.100.0/24',
        freshMs: 60_000,
        staleWhileRevalidateMs: 30_000,
        staleMs: 1_800_000,
      }),
      signedError('permission_denied', { scope: `${banned}/32`, freshMs: 300_000 }),
      away,
    );
    await adapter.see(admitted);
    await adapter.see(banned);
    /** What a call got by its deadline; while the breaker rests it is refused before, with a code of its own. */
    const within = async (timeoutMs: number, call: Promise<string>) => {
      if (cut === 'DEADLINE') await vi.advanceTimersByTimeAsync(timeoutMs);
      const got = await call;
      return got === 'UNREACHABLE' ? cut : got;
    };
    for (let second = 0; second < 3600; second += 1) {
      if (second === restart) adapter = filterOf(section, away);
      const until = performance.now() + 1000;
      const see = (ip: string, protocol = 'SSH') =>
        within(100, adapter.see(ip, protocol, { timeoutMs: 100 }));
      const seen = {
        loopback: await see('127.0.0.1'),
        noAddress: await see('@'),
        admitted: await see(admitted, 'FTP'),
        neighbour: await see('198.51.100.200'),
        banned: await see(banned),
        stranger: await see(stranger),
        reload: second === reload ? await within(100, adapter.reload({ timeoutMs: 100 })) : undefined,
      };
      expect({ second, ...seen }).toEqual({ second, ...documented(second, outage) });
      // a clock that is set moves nothing
      if (second % 700 === 0) vi.setSystemTime(Date.now() + (second % 1400 === 0 ? 86_400_000 : -90_000_000));
      await vi.advanceTimersByTimeAsync(until - performance.now());
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
