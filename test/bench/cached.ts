import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildHost } from '../host/build.ts';
import { type Benched, type BenchLoad, type LaunchedPlugin, startHost } from '../host/driver.ts';
import { prepareDeployment } from '../runtimes/deployment.ts';
import { median } from './measure.ts';
import { adapterProgram, baselineProgram } from './programs.ts';
import { type BenchRow, ratioRow } from './row.ts';

const rounds = 7;
/** SFTPGo asks for each HTTP request: alone, and with many requests at once. */
const alone: BenchLoad = { ip: '203.0.113.9', protocol: 'HTTP', calls: 2000, parallel: 1 };
const together: BenchLoad = { ...alone, calls: 300, parallel: 32 };

async function run(plugin: LaunchedPlugin, load: BenchLoad): Promise<Benched> {
  const figures = await plugin.bench(load);
  if (figures.codes['OK'] !== load.calls * load.parallel)
    throw new Error(`not OK: ${JSON.stringify(figures)}`);
  return figures;
}

/** A verdict from memory through a Go host, against a bare grpc-js server that answers at once. */
export async function cachedRows(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  const deployment = await prepareDeployment();
  const host = startHost(await buildHost('new'));
  try {
    const workerd = await deployment.start();
    await deployment.lockAt(workerd.url);
    const launch = async ({ cmd, args, env }: ReturnType<typeof adapterProgram>) =>
      await host.launch({
        cmd,
        args,
        env: Object.entries(env).map((pair) => pair.join('=')),
        autoMtls: false,
      });
    const adapter = await launch(adapterProgram(deployment.configPath, undefined));
    const bare = await launch(await baselineProgram(folder));
    for (const plugin of [adapter, bare]) {
      await run(plugin, { ...alone, calls: 3000 });
      await run(plugin, together);
    }
    const p50: [number[], number[]] = [[], []];
    const microsEach: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      // in turn, so that a drifting machine drifts for both
      for (const [index, plugin] of [adapter, bare].entries()) {
        p50[index]?.push((await run(plugin, alone)).p50Micros);
        microsEach[index]?.push(1e6 / (await run(plugin, together)).perSecond);
      }
    }
    return [
      ratioRow('cached CheckIP, p50', 'µs', median(p50[0]), median(p50[1]), 1.25),
      ratioRow(
        'cached CheckIP, 32 at once',
        'µs/call',
        median(microsEach[0]),
        median(microsEach[1]),
        1 / 0.85,
      ),
    ];
  } finally {
    await host.close();
    await deployment.close();
    await rm(folder, { recursive: true });
  }
}
