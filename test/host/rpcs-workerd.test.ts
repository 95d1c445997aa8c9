import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PluginTypeName, pluginTypes } from '../../proto/plugin-types.ts';
import { type Deployment, prepareDeployment } from '../runtimes/deployment.ts';
import { buildHost, whyNoGo } from './build.ts';
import { casesOf } from './cases/index.ts';
import { type GoHost, type LaunchedPlugin, startHost } from './driver.ts';

const noGo = whyNoGo();

/** The last SDK that has all twenty RPCs. */
const kind = 'v016';

const sections: Readonly<Partial<Record<PluginTypeName, string>>> = {
  auth: 'ceiling: { fields: [email] }',
  notifier: 'instance: node1',
};

describe.skipIf(noGo !== undefined).each(Object.keys(pluginTypes) as PluginTypeName[])(
  `every RPC of %s, its function in workerd${noGo ? ` (${noGo})` : ''}`,
  (type) => {
    let folder: string;
    let deployment: Deployment;
    let host: GoHost;
    let plugin: LaunchedPlugin;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'entry-'));
      const entry = join(folder, 'entry.ts');
      const from = (file: string) => JSON.stringify(join(import.meta.dirname, 'plugins', file));
      await writeFile(
        entry,
        `import { newArrivals } from ${from('arrivals.ts')};
         import { ${type}Plugin } from ${from(`${type}.ts`)};
         export default ${type}Plugin(newArrivals());`,
      );
      deployment = await prepareDeployment({ entry, name: 'recorder', type });
      const workerd = await deployment.start();
      await deployment.lockAt(workerd.url, { section: sections[type] ?? '' });
      host = startHost(await buildHost(kind));
      plugin = await host.launch({
        type,
        cmd: join(import.meta.dirname, '../../dist/sftpgo-plugin-serverless'),
        args: ['serve', '--config', deployment.configPath],
        env: [`SFTPGO_PLUGIN_SERVERLESS_NODE=${process.execPath}`],
        autoMtls: true,
      });
    });

    afterAll(async () => {
      await host?.close();
      await deployment?.close();
      await rm(folder, { recursive: true });
    });

    const rows = casesOf[type](kind).flatMap(({ rpc, method, accepted, refused }) => [
      [rpc, 'accepted', method, accepted] as const,
      [rpc, 'refused', method, refused] as const,
    ]);

    test.each(rows)('%s, %s', async (_rpc, _how, method, steps) => {
      for (const step of steps) {
        const { code, output } = await plugin.call(step.method ?? method, ...step.args);
        expect({ code, output }).toEqual({ code: step.code ?? 'OK', output: step.returns });
      }
    });
  },
);
