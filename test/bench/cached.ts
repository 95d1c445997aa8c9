import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildHost } from '../host/build.ts';
import { type BenchLoad, type LaunchedPlugin, startHost } from '../host/driver.ts';
import { prepareDeployment } from '../runtimes/deployment.ts';
import { inTurn, pluginParty } from './load.ts';
import { adapterProgram, baselineProgram, launch } from './programs.ts';
import { type BenchOptions, type BenchRow, ratioRow } from './row.ts';

const rounds = 7;
/** SFTPGo asks for each HTTP request: alone, and with many requests at once. */
const amounts = { alone: { calls: 2000, parallel: 1 }, together: { calls: 300, parallel: 32 } };
const keyUrl = 'awskms://alias/bench?region=eu-central-1';

type Load = Omit<BenchLoad, 'calls' | 'parallel'>;

/** Answers from memory through a Go host, against a bare grpc-js server that answers at once. */
export async function cachedRows({ quick }: BenchOptions): Promise<BenchRow[]> {
  return [
    ...(await rowsOf('cached CheckIP', { quick }, async () => ({ ip: '203.0.113.9', protocol: 'HTTP' }))),
    ...(await rowsOf(
      'cached Decrypt',
      {
        quick,
        entry: join(import.meta.dirname, 'fake-kms.ts'),
        name: 'vault',
        type: 'kms',
        section: 'decryptCache: { ttl: 5m }',
      },
      encrypted,
    )),
  ];
}

/** A secret below a master key, as SFTPGo stores it and asks for it at each login of its user. */
async function encrypted(adapter: LaunchedPlugin): Promise<Load> {
  const [additionalData, masterKey] = ['user1', 'master-key'];
  const { output, message } = await adapter.call('Encrypt', 'my secret', additionalData, keyUrl, masterKey);
  if (output === undefined) throw new Error(message);
  const [payload, key, mode] = output;
  return {
    decrypt: {
      payload: String(payload),
      key: String(key),
      mode: Number(mode),
      additionalData,
      masterKey,
      url: keyUrl,
    },
  };
}

async function rowsOf(
  name: string,
  options: { quick: boolean; entry?: string; name?: string; type?: 'kms'; section?: string },
  loadOf: (adapter: LaunchedPlugin) => Promise<Load>,
): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  const deployment = await prepareDeployment(options);
  const host = startHost(await buildHost('new'));
  try {
    const workerd = await deployment.start();
    await deployment.lockAt(workerd.url, options.section === undefined ? {} : { section: options.section });
    const plugin = await launch(host, adapterProgram(deployment.configPath, undefined), options.type);
    const load = await loadOf(plugin);
    const { adapter, bare } = await inTurn(
      {
        adapter: pluginParty(plugin, load),
        bare: pluginParty(await launch(host, await baselineProgram(folder), options.type), load),
      },
      amounts,
      options.quick ? 1 : rounds,
    );
    return [
      ratioRow(`${name}, p50`, 'µs', adapter.alone.p50Micros, bare.alone.p50Micros, 1.25, {
        cpuUs: adapter.alone.cpuUs,
        baselineCpuUs: bare.alone.cpuUs,
      }),
      ratioRow(`${name}, 32 at once`, 'calls/s', adapter.together.perSecond, bare.together.perSecond, 0.85, {
        least: true,
        cpuUs: adapter.together.cpuUs,
        baselineCpuUs: bare.together.cpuUs,
      }),
    ];
  } finally {
    await host.close();
    await deployment.close();
    await rm(folder, { recursive: true });
  }
}
