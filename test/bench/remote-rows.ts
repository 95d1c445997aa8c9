import type { Loaded } from './load.ts';
import type { RawCrypto } from './raw-crypto.ts';
import { type BenchRow, limitRow, ratioRow } from './row.ts';

/** SFTPGo sends up to 250 events at once. */
export const amounts = {
  '1': { calls: 400, parallel: 1 },
  '32': { calls: 40, parallel: 32 },
  '250': { calls: 10, parallel: 250 },
};

type At = keyof typeof amounts;
const all = ['1', '32', '250'] as const;

/** What each party of the group `remote` needed under each load. */
export type Figures = Record<'adapter' | 'grpc' | 'https' | 'relay' | 'go', Record<At, Loaded>>;

/** The parts, and the remote call against them. */
export function partsRows({ adapter, grpc, https }: Figures, crypto: RawCrypto): BenchRow[] {
  const { signUs, verifyUs, sha256Us } = crypto;
  const cryptoUs = 2 * (signUs + verifyUs + sha256Us);
  const partsUs = (at: At, of: 'p50Micros' | 'p99Micros') => grpc[at][of] + https[at][of] + cryptoUs;
  /** The adapter's own half of the cryptography. */
  const partsCpu = (at: At) => grpc[at].cpuUs + https[at].cpuUs + signUs + verifyUs;
  const cpu = (at: At) => ({ cpuUs: adapter[at].cpuUs, baselineCpuUs: partsCpu(at) });
  const slower = (at: At) => Math.min(grpc[at].perSecond, https[at].perSecond);
  const latency = (at: At, of: 'p50Micros' | 'p99Micros', target: number | null) =>
    ratioRow(
      `remote call, ${at} at once, ${of === 'p50Micros' ? 'p50' : 'p99'}`,
      'µs',
      adapter[at][of],
      partsUs(at, of),
      target,
      cpu(at),
    );
  const processor = (at: At) =>
    ratioRow(`remote call, ${at} at once, CPU of the adapter`, 'µs', adapter[at].cpuUs, partsCpu(at), 1.5);
  const perSecond = (at: At, target: number | null) =>
    ratioRow(`remote call, ${at} at once`, 'calls/s', adapter[at].perSecond, slower(at), target, {
      least: true,
      ...cpu(at),
    });
  return [
    limitRow('part: bare gRPC round trip, p50', 'µs', grpc['1'].p50Micros, null, { cpuUs: grpc['1'].cpuUs }),
    limitRow('part: bare HTTPS round trip, p50', 'µs', https['1'].p50Micros, null, {
      cpuUs: https['1'].cpuUs,
    }),
    limitRow('part: four Ed25519 operations, two SHA-256', 'µs', cryptoUs, null),
    ...all.flatMap((at) => [
      latency(at, 'p50Micros', at === '1' ? 1.5 : null),
      latency(at, 'p99Micros', null),
    ]),
    ...all.map(processor),
    ...all.map((at) => perSecond(at, at === '250' ? 0.7 : null)),
    limitRow('remote call, 250 at once: calls that failed', '%', 100 * adapter['250'].failedShare, 0),
  ];
}

/** The remote call against its parts put together in one process, with the adapter's half of the cryptography. */
export function relayRows({ adapter, relay }: Figures): BenchRow[] {
  return [
    ratioRow(
      'against its parts in one process, p50',
      'µs',
      adapter['1'].p50Micros,
      relay['1'].p50Micros,
      null,
    ),
    ...all.map((at) =>
      ratioRow(
        `against its parts in one process, ${at} at once, CPU`,
        'µs',
        adapter[at].cpuUs,
        relay[at].cpuUs,
        null,
      ),
    ),
    ...all.map((at) =>
      ratioRow(
        `against its parts in one process, ${at} at once`,
        'calls/s',
        adapter[at].perSecond,
        relay[at].perSecond,
        null,
        { least: true },
      ),
    ),
  ];
}

/** The remote call against a plugin in Go that makes the same one. */
export function goRows({ adapter, go }: Figures): BenchRow[] {
  const cpu = (at: At) => ({ cpuUs: adapter[at].cpuUs, baselineCpuUs: go[at].cpuUs });
  const latency = (at: At, of: 'p50Micros' | 'p99Micros') =>
    ratioRow(
      `against a Go plugin, ${at} at once, ${of === 'p50Micros' ? 'p50' : 'p99'}`,
      'µs',
      adapter[at][of],
      go[at][of],
      null,
      cpu(at),
    );
  return all.flatMap((at) => [
    latency(at, 'p50Micros'),
    latency(at, 'p99Micros'),
    ratioRow(`against a Go plugin, ${at} at once`, 'calls/s', adapter[at].perSecond, go[at].perSecond, null, {
      least: true,
      ...cpu(at),
    }),
  ]);
}
