import { buildHost } from '../host/build.ts';
import { startHost } from '../host/driver.ts';
import { prepareDeployment } from '../runtimes/deployment.ts';
import { pluginParty } from './load.ts';
import { adapterProgram, launch } from './programs.ts';
import { type BenchRow, limitRow } from './row.ts';

/** More than the breaker needs to open. */
const failing = { calls: 40, parallel: 1 };
const refused = { calls: 1000, parallel: 1 };

/** How soon a call is refused while the function is known to be away. */
export async function breakerRows(): Promise<BenchRow[]> {
  const deployment = await prepareDeployment();
  const host = startHost(await buildHost('new'));
  try {
    // nobody listens there
    await deployment.lockAt('https://localhost:1', { section: 'cache: { entries: 0 }' });
    const plugin = await launch(host, adapterProgram(deployment.configPath, undefined));
    const load = { ip: '2001:db8:7:1::', distinct: true, protocol: 'SSH' };
    const party = pluginParty(plugin, load, 'Unavailable');
    await party.run(failing);
    await party.run(refused);
    const { p50Micros, p99Micros } = await party.run(refused);
    return [
      limitRow('answer with an open breaker, p50', 'µs', p50Micros, 1000),
      limitRow('answer with an open breaker, p99', 'µs', p99Micros, 1000),
    ];
  } finally {
    await host.close();
    await deployment.close();
  }
}
