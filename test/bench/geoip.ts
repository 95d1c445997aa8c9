import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { buildHost } from '../host/build.ts';
import { type LaunchedPlugin, startHost } from '../host/driver.ts';
import { prepareDeployment } from '../runtimes/deployment.ts';
import { startEdgeStore } from '../support/edge-store.ts';
import { type Amount, inTurn, type Loaded, type Party } from './load.ts';
import type { Program } from './measure.ts';
import { adapterProgram, launch } from './programs.ts';
import { type BenchOptions, type BenchRow, ratioRow } from './row.ts';

const rounds = 7;
/** Multiples of the addresses. */
const amounts = { alone: { calls: 600, parallel: 1 }, together: { calls: 60, parallel: 32 } };
const databaseFile = createRequire(import.meta.url).resolve(
  '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb',
);

/** 120 addresses all over the world, every fourth of IPv6. */
const addresses: readonly string[] = Array.from({ length: 120 }, (_, n) => {
  const mixed = Math.imul(n + 1, 0x9e37_79b1) >>> 0;
  if (n % 4 === 3) {
    const network = ['2600', '2a00', '2a01', '2001', '2400', '2804'][(n >> 2) % 6];
    return `${network}:${(mixed >>> 16).toString(16)}::${(mixed & 0xffff).toString(16)}`;
  }
  return [1 + ((mixed >>> 24) % 223), (mixed >>> 16) & 255, (mixed >>> 8) & 255, mixed & 255].join('.');
});

/**
 * Two countries, the same database and the same addresses: a plugin in Go that looks each address up on the host, as the
 * official geoipfilter does, against the adapter before a Worker with rules, with its memory and without.
 */
export async function geoipRows({ quick }: BenchOptions): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  const store = await startEdgeStore();
  store.put('country.mmdb', await readFile(databaseFile), { etag: '1' });
  const entry = join(import.meta.dirname, 'two-countries.ts');
  const deployment = await prepareDeployment({ entry, name: 'gate' });
  const host = startHost(await buildHost('new'));
  try {
    const workerd = await deployment.start({ kv: { GEO: store.port } });
    await deployment.lockAt(workerd.url, { state: false });
    const go = await launch(host, await goProgram(folder));
    const warm = await launch(host, adapterProgram(deployment.configPath, undefined));
    const off = await launch(host, adapterProgram(await withoutMemory(deployment.configPath), undefined));
    const allowed = await agreed([go, warm, off]);
    const parties = { go: party(go, allowed), warm: party(warm, allowed), off: party(off, allowed) };
    const figures = await inTurn(parties, amounts, quick ? 1 : rounds);
    return [
      ...rowsOf('two countries, remembered', figures.warm, figures.go),
      ...rowsOf('two countries, memory off', figures.off, figures.go),
    ];
  } finally {
    await host.close();
    await deployment.close();
    await store.close();
    await rm(folder, { recursive: true });
  }
}

/** How many of the addresses come in; throws unless all plugins say the same of each, and not the same of all. */
async function agreed(plugins: readonly LaunchedPlugin[]): Promise<number> {
  let allowed = 0;
  for (const ip of addresses) {
    const codes = await Promise.all(plugins.map(async (plugin) => (await plugin.checkIP(ip, 'SSH')).code));
    const verdicts = new Set(codes.map((code) => code === 'OK'));
    if (verdicts.size !== 1) throw new Error(`${ip}: ${codes.join(', ')}`);
    if (verdicts.has(true)) allowed += 1;
  }
  if (allowed === 0 || allowed === addresses.length)
    throw new Error(`${allowed} come in: nothing is compared`);
  return allowed;
}

function party(plugin: LaunchedPlugin, allowed: number): Party {
  return {
    pid: plugin.pid,
    async run(amount: Amount) {
      const figures = await plugin.bench({ ips: addresses, protocol: 'SSH', ...amount });
      const expected = (amount.calls * amount.parallel * allowed) / addresses.length;
      if (figures.codes['OK'] !== expected) throw new Error(`not ${expected}: ${JSON.stringify(figures)}`);
      return figures;
    },
  };
}

function rowsOf(
  name: string,
  adapter: Record<keyof typeof amounts, Loaded>,
  go: Record<keyof typeof amounts, Loaded>,
): BenchRow[] {
  const cpu = (at: keyof typeof amounts) => ({ cpuUs: adapter[at].cpuUs, baselineCpuUs: go[at].cpuUs });
  return [
    ratioRow(`${name}, p50`, 'µs', adapter.alone.p50Micros, go.alone.p50Micros, null, cpu('alone')),
    ratioRow(`${name}, one at a time`, 'calls/s', adapter.alone.perSecond, go.alone.perSecond, null, {
      least: true,
      ...cpu('alone'),
    }),
    ratioRow(`${name}, 32 at once`, 'calls/s', adapter.together.perSecond, go.together.perSecond, null, {
      least: true,
      ...cpu('together'),
    }),
  ];
}

/** The same configuration with a memory of no verdicts, in a file beside it. */
async function withoutMemory(configPath: string): Promise<string> {
  const text = await readFile(configPath, 'utf8');
  const path = join(dirname(configPath), 'without-memory.yaml');
  await writeFile(path, text.replace('use: gate', 'use: gate, cache: { entries: 0 }'));
  return path;
}

async function goProgram(folder: string): Promise<Program> {
  const cmd = join(folder, 'go-plugin');
  await promisify(execFile)('go', ['build', '-trimpath', '-buildvcs=false', '-o', cmd, '.'], {
    cwd: join(import.meta.dirname, 'geoip'),
  });
  return { cmd, args: [databaseFile, 'DE,US'], env: {} };
}
