import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildHost } from '../host/build.ts';
import { startHost } from '../host/driver.ts';
import { prepareDeployment } from '../runtimes/deployment.ts';
import { inTurn, pluginParty } from './load.ts';
import { adapterProgram, baselineProgram, launch } from './programs.ts';
import { type BenchOptions, type BenchRow, limitRow } from './row.ts';

const rounds = 7;
/** More than the breaker needs to open. */
const failing = { calls: 40, parallel: 1 };
const amounts = { alone: { calls: 1000, parallel: 1 } };

/** How soon a call is refused while the function is known to be away; a bare grpc-js server answers beside it. */
export async function breakerRows({ quick }: BenchOptions): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  const deployment = await prepareDeployment();
  const host = startHost(await buildHost('new'));
  try {
    // nobody listens there
    await deployment.lockAt('https://localhost:1', { section: 'cache: { entries: 0 }' });
    const plugin = await launch(host, adapterProgram(deployment.configPath, undefined));
    const load = { ip: '2001:db8:7:1::', distinct: true, protocol: 'SSH' };
    const refused = pluginParty(plugin, load, 'Unavailable');
    await refused.run(failing);
    const bare = pluginParty(await launch(host, await baselineProgram(folder)), load);
    const figures = await inTurn({ refused, bare }, amounts, quick ? 1 : rounds);
    const row = (figure: 'p50' | 'p99') =>
      limitRow(
        `answer with an open breaker, ${figure}`,
        'µs',
        figures.refused.alone[`${figure}Micros`],
        1000,
        {
          baseline: figures.bare.alone[`${figure}Micros`],
          cpuUs: figures.refused.alone.cpuUs,
          baselineCpuUs: figures.bare.alone.cpuUs,
        },
      );
    return [row('p50'), row('p99')];
  } finally {
    await host.close();
    await deployment.close();
    await rm(folder, { recursive: true });
  }
}
