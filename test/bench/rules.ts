import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createEngine } from '../../functions/ipfilter/engine.ts';
import { createContext } from '../../functions/ipfilter/fixtures/context.ts';
import { openCountries } from '../../functions/ipfilter/mmdb/database.ts';
import { createCaller } from '../../functions/kit/fixtures/caller.ts';
import { buildFunction } from '../../infra/build/function.ts';
import { type Address, formatAddress } from '../../proto/net/address.ts';
import { parseNetworkList } from '../../proto/net/network-list.ts';
import { wordsOf } from '../../proto/net/words.ts';
import { startWorkerd } from '../runtimes/workerd.ts';
import { startEdgeStore } from '../support/edge-store.ts';
import { type BenchRow, limitRow } from './row.ts';

const databaseFile = createRequire(import.meta.url).resolve(
  '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb',
);
const million = 1_000_000;
const lookups = 200_000;
const requests = 2_000;
const warmUp = 500;

/** The rule engine: sets of a million networks, countries, and what a call costs workerd. */
export async function rulesRows(): Promise<BenchRow[]> {
  return [
    ...setRows('IPv4', ipv4),
    ...setRows('IPv6', ipv6),
    ...(await engineRows()),
    ...(await workerdRows()),
  ];
}

function setRows(name: string, addressOf: (n: number) => Address): BenchRow[] {
  const list = listOf(addressOf);
  const before = usedBytes();
  const started = threadMs();
  const { networks } = parseNetworkList(list, { onBrokenLine: 'refuse' });
  const builtMs = threadMs() - started;
  const megabytes = (usedBytes() - before) / 1e6;
  const asked = Array.from({ length: lookups }, (_, n) => addressOf(n * 7 + 3));
  const ns = nsEach(asked, (address) => networks.find(address));
  if (list.length < million) throw new Error('the list was collected before it was measured');
  return [
    limitRow(`${name}: look-up among 1,000,000 networks`, 'ns', ns, 1_000),
    limitRow(`${name}: memory of 1,000,000 networks`, 'MB', megabytes, 64),
    limitRow(`${name}: reading a list of 1,000,000 networks`, 'ms', builtMs, 5_000),
  ];
}

async function engineRows(): Promise<BenchRow[]> {
  const engine = createEngine({
    default: 'deny',
    lists: { abuse: { text: listOf(ipv4) } },
    rules: [
      { action: 'deny', lists: ['abuse'] },
      { action: 'allow', networks: ['0.0.0.0/0', '::/0'], protocols: ['SSH'] },
    ],
  });
  const context = createContext({});
  const asked = Array.from({ length: lookups }, (_, n) => ipv4(n * 7 + 3));
  const started = threadMs();
  for (const address of asked) await engine.verdict(address, 'SSH', context);
  const ns = ((threadMs() - started) * 1e6) / lookups;
  const countries = openCountries(readFileSync(databaseFile));
  return [
    limitRow('verdict with scope and reason, a list of 1,000,000 networks', 'ns', ns, 5_000),
    limitRow(
      'look-up of a country',
      'ns',
      nsEach(asked, (address) => countries.find(wordsOf(address))),
      2_000,
    ),
  ];
}

/** What one signed call costs workerd, with rules and with none: time of all its threads on a processor. */
async function workerdRows(): Promise<BenchRow[]> {
  const rules = await callCosts('hundred-thousand-rules.ts');
  const none = await callCosts('empty-ipfilter.ts');
  const name = 'workerd, 100,000 rules and countries: CPU of a call';
  return [
    limitRow('rules and databases: Worker code, gzip', 'bytes', rules.gzipBytes, 60_000),
    { ...limitRow(`${name}, p50`, 'ms', rules.p50, 1), ...against(rules.p50, none.p50) },
    { ...limitRow(`${name}, p99`, 'ms', rules.p99, 1), ...against(rules.p99, none.p99) },
  ];
}

/** The empty ipfilter, for comparison: most of a call is its two signatures. */
function against(value: number, baseline: number): Pick<BenchRow, 'baseline' | 'ratio'> {
  return { baseline, ratio: value / baseline };
}

async function callCosts(entryName: string): Promise<{ p50: number; p99: number; gzipBytes: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  const store = await startEdgeStore();
  store.put('country.mmdb', await readFile(databaseFile), { etag: '1' });
  const caller = createCaller();
  const { PLUGIN_KEY, ...env } = caller.env;
  const entry = join(import.meta.dirname, entryName);
  const { artifacts } = await buildFunction({ entry, name: 'bench', outDir: folder, targets: ['worker'] });
  const { file: module = '', gzipBytes = Number.NaN } = artifacts[0] ?? {};
  const workerd = await startWorkerd({ module, env, secrets: { PLUGIN_KEY }, kv: { GEO: store.port } });
  try {
    const costs: number[] = [];
    for (let n = 0; n < requests + warmUp; n++) {
      const body = { ip: formatAddress(ipv4(n * 7 + 3)), protocol: 'SSH' };
      const { url, headers, body: bytes } = await caller.sign({ origin: workerd.url, body });
      const before = await cpuMs(workerd.pid);
      const answer = await fetch(url, {
        method: 'POST',
        headers: headers.map(([name, value]) => [name, value]),
        body: new Uint8Array(bytes),
      });
      await answer.arrayBuffer();
      if (answer.status !== 200 && answer.status !== 403)
        throw new Error(`workerd answered ${answer.status}`);
      if (n >= warmUp) costs.push((await cpuMs(workerd.pid)) - before);
    }
    costs.sort((a, b) => a - b);
    const at = (share: number) => costs[Math.floor(costs.length * share)] ?? Number.NaN;
    return { p50: at(0.5), p99: at(0.99), gzipBytes };
  } finally {
    await workerd.close();
    await store.close();
    await rm(folder, { recursive: true });
  }
}

/** Time on a processor of all threads of a process so far (Linux: nanoseconds in schedstat). */
async function cpuMs(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const times = await Promise.all(
    threads.map(async (thread) => {
      const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '0');
      return Number(text.split(' ')[0]);
    }),
  );
  return times.reduce((a, b) => a + b, 0) / 1e6;
}

function nsEach<T>(inputs: readonly T[], run: (input: T) => unknown): number {
  for (const input of inputs) run(input);
  const started = threadMs();
  for (const input of inputs) run(input);
  return ((threadMs() - started) * 1e6) / inputs.length;
}

/** Time of this thread on a processor: what others do on the machine is not in it. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Memory that is in use after a collection, typed arrays included. */
function usedBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** A million lines in no order. */
function listOf(addressOf: (n: number) => Address): string {
  return Array.from({ length: million }, (_, n) => formatAddress(addressOf(n))).join('\n');
}

/** Spread over the whole of IPv4: multiplication by an odd number visits each once. */
function ipv4(n: number): Address {
  return { family: 4, bits: Math.imul(n, 0x9e37_79b1) >>> 0 };
}

/** Spread over 2000::/3. */
function ipv6(n: number): Address {
  const mixed = Math.imul(n, 0x9e37_79b1) >>> 0;
  const [high, low] = [mixed >>> 16, mixed & 0xffff];
  return {
    family: 6,
    groups: String.fromCharCode(0x2000 | (high >>> 3), low, high, n & 0xffff, 0, 0, 0, low),
  };
}
