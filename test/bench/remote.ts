import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildHost } from '../host/build.ts';
import { startHost } from '../host/driver.ts';
import { prepareDeployment } from '../runtimes/deployment.ts';
import { prepareEcho, workerWithEcho } from './echo.ts';
import { startHttpsClient } from './https-client.ts';
import { inTurn, type Loaded, type Party, pluginParty } from './load.ts';
import { type Program, residentMiB } from './measure.ts';
import { adapterProgram, baselineProgram, launch } from './programs.ts';
import { type RawCrypto, rawCrypto } from './raw-crypto.ts';
import { type BenchOptions, type BenchRow, limitRow, ratioRow } from './row.ts';

/** SFTPGo sends up to 250 events at once. */
const amounts = {
  '1': { calls: 400, parallel: 1 },
  '32': { calls: 40, parallel: 32 },
  '250': { calls: 10, parallel: 250 },
};
const rounds = 5;

/** An address of its own for each call: equal ones would share a request. The example allows this network. */
const load = { ip: '2001:db8:7:1::', distinct: true, protocol: 'SSH' };

type Figures = Record<'adapter' | 'grpc' | 'https' | 'go', Record<keyof typeof amounts, Loaded>>;

/**
 * A call that reaches the function, against its parts: a bare gRPC round trip, a bare HTTPS round trip with as many
 * bytes to the same socket, and the cryptography of both ends. Beside it, a plugin in Go that asks the same socket.
 */
export async function remoteRows({ quick }: BenchOptions): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  const deployment = await prepareDeployment();
  const host = startHost(await buildHost('new'));
  const ends: (() => Promise<void>)[] = [];
  try {
    const workerd = await deployment.start({ bundle: await workerWithEcho(deployment) });
    await deployment.lockAt(workerd.url, { section: 'cache: { entries: 0 }' });
    const setup = await prepareEcho(deployment, workerd, { ip: `${load.ip}1:1`, protocol: load.protocol });
    const https = await startHttpsClient(setup);
    ends.push(https.close);
    const adapter = await launch(host, adapterProgram(deployment.configPath, undefined));
    const grpc = await launch(host, await baselineProgram(folder));
    const go = await launch(host, await goProgram(folder, setup.url, join(deployment.folder, 'ca.pem')));
    const parties: Record<keyof Figures, Party> = {
      adapter: pluginParty(adapter, load),
      grpc: pluginParty(grpc, load),
      https,
      go: pluginParty(go, load),
    };
    const figures = await inTurn(parties, amounts, quick ? 1 : rounds);
    const crypto = rawCrypto();
    return [
      ...partsRows(figures, crypto),
      ...goRows(figures),
      {
        ...limitRow('RSS after 250 at once', 'MiB', await residentMiB(adapter.pid), 200),
        ...against(await residentMiB(adapter.pid), await residentMiB(grpc.pid)),
      },
    ];
  } finally {
    await Promise.all(ends.map((end) => end()));
    await host.close();
    await deployment.close();
    await rm(folder, { recursive: true });
  }
}

function against(value: number, baseline: number): Pick<BenchRow, 'baseline' | 'ratio'> {
  return { baseline, ratio: value / baseline };
}

function partsRows({ adapter, grpc, https }: Figures, crypto: RawCrypto): BenchRow[] {
  const { signUs, verifyUs, sha256Us } = crypto;
  const cryptoUs = 2 * (signUs + verifyUs + sha256Us);
  const partsUs = (of: 'p50Micros' | 'p99Micros') => grpc['1'][of] + https['1'][of] + cryptoUs;
  /** The adapter's own half of the cryptography. */
  const partsCpu = (at: keyof typeof amounts) => grpc[at].cpuUs + https[at].cpuUs + signUs + verifyUs;
  const cpu = (at: keyof typeof amounts) => ({ cpuUs: adapter[at].cpuUs, baselineCpuUs: partsCpu(at) });
  const slower = (at: keyof typeof amounts) => Math.min(grpc[at].perSecond, https[at].perSecond);
  const perSecond = (at: keyof typeof amounts, target: number | null) =>
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
    ratioRow('remote call, p50', 'µs', adapter['1'].p50Micros, partsUs('p50Micros'), 1.5, cpu('1')),
    ratioRow('remote call, p99', 'µs', adapter['1'].p99Micros, partsUs('p99Micros'), null, cpu('1')),
    ratioRow('remote call, CPU of the adapter', 'µs', adapter['1'].cpuUs, partsCpu('1'), 1.5),
    ratioRow(
      'remote call, CPU of the adapter, 250 at once',
      'µs',
      adapter['250'].cpuUs,
      partsCpu('250'),
      1.5,
    ),
    perSecond('1', null),
    perSecond('32', null),
    perSecond('250', 0.7),
    limitRow('remote call, 250 at once: calls that failed', '%', 100 * adapter['250'].failedShare, 0),
  ];
}

function goRows({ adapter, go }: Figures): BenchRow[] {
  const cpu = (at: keyof typeof amounts) => ({ cpuUs: adapter[at].cpuUs, baselineCpuUs: go[at].cpuUs });
  return [
    ratioRow('against a Go plugin, p50', 'µs', adapter['1'].p50Micros, go['1'].p50Micros, null, cpu('1')),
    ...(['1', '32', '250'] as const).map((at) =>
      ratioRow(
        `against a Go plugin, ${at} at once`,
        'calls/s',
        adapter[at].perSecond,
        go[at].perSecond,
        null,
        { least: true, ...cpu(at) },
      ),
    ),
  ];
}

/** The plugin in Go that asks `url`. */
async function goProgram(folder: string, url: string, caFile: string): Promise<Program> {
  const cmd = join(folder, 'go-plugin');
  await promisify(execFile)('go', ['build', '-trimpath', '-buildvcs=false', '-o', cmd, '.'], {
    cwd: join(import.meta.dirname, 'go'),
  });
  return { cmd, args: [url, caFile], env: {} };
}
