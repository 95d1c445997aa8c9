import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildHost } from '../host/build.ts';
import { startHost } from '../host/driver.ts';
import { type Deployment, prepareDeployment } from '../runtimes/deployment.ts';
import { prepareEcho, workerWithEcho } from './echo.ts';
import { startHttpsClient } from './https-client.ts';
import { inTurn, type Party, pluginParty } from './load.ts';
import { cpuMicros, type Program, residentMiB } from './measure.ts';
import { adapterProgram, baselineProgram, bundledProgram, launch } from './programs.ts';
import { rawCrypto } from './raw-crypto.ts';
import { amounts, type Figures, goRows, partsRows, relayRows } from './remote-rows.ts';
import { type BenchOptions, type BenchRow, limitRow, ratioRow } from './row.ts';

const rounds = 5;

/** An address of its own for each call: equal ones would share a request. The example allows this network. */
const load = { ip: '2001:db8:7:1::', distinct: true, protocol: 'SSH' };

/**
 * A call that reaches the function, against its parts: a bare gRPC round trip, a bare HTTPS round trip with as many
 * bytes to the same socket, and the cryptography of both ends. Beside it, the parts put together in one process, and a
 * plugin in Go that makes the same call.
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
    const setupFile = join(folder, 'setup.json');
    await writeFile(setupFile, JSON.stringify(setup));
    const https = await startHttpsClient(setup);
    ends.push(https.close);
    const adapter = await launch(host, adapterProgram(deployment.configPath, undefined));
    const grpc = await launch(host, await baselineProgram(folder));
    const relay = await launch(host, await bundledProgram(folder, 'relay-plugin', [setupFile]));
    const go = await launch(host, await goProgram(folder, workerd.url, deployment));
    const parties: Record<keyof Figures, Party> = {
      adapter: pluginParty(adapter, load),
      grpc: pluginParty(grpc, load),
      https,
      relay: pluginParty(relay, load),
      go: pluginParty(go, load),
    };
    const figures = await inTurn(parties, amounts, quick ? 1 : rounds);
    return [
      ...partsRows(figures, rawCrypto()),
      ...relayRows(figures),
      ratioRow(
        'workerd: CPU of a call, against the echo',
        'µs',
        await cpuElsewhere(workerd.pid, parties.adapter),
        await cpuElsewhere(workerd.pid, https),
        null,
      ),
      ...goRows(figures),
      limitRow('RSS after 250 at once', 'MiB', await residentMiB(adapter.pid), 200, {
        baseline: await residentMiB(grpc.pid),
      }),
    ];
  } finally {
    await Promise.all(ends.map((end) => end()));
    await host.close();
    await deployment.close();
    await rm(folder, { recursive: true });
  }
}

/** What a call of this party costs the process that answers it, in µs of processor time. */
async function cpuElsewhere(pid: number, party: Party): Promise<number> {
  const amount = { calls: 1000, parallel: 1 };
  const before = await cpuMicros(pid);
  await party.run(amount);
  return ((await cpuMicros(pid)) - before) / amount.calls;
}

/** The plugin in Go that asks the function at this origin. */
async function goProgram(
  folder: string,
  origin: string,
  { folder: keys, functionName, functionX }: Deployment,
): Promise<Program> {
  const cmd = join(folder, 'go-plugin');
  await promisify(execFile)('go', ['build', '-trimpath', '-buildvcs=false', '-o', cmd, '.'], {
    cwd: join(import.meta.dirname, 'go'),
  });
  const files = [join(keys, 'ca.pem'), join(keys, 'adapter.key.json')];
  return { cmd, args: [`${origin}/proto.IPFilter/CheckIP`, ...files, functionName, functionX], env: {} };
}
