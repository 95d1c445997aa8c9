import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { launch } from '../../adapter/goplugin/host/launch.ts';
import { buildExecutable } from '../../infra/build/executable.ts';
import { pluginTypes } from '../../proto/plugin-types.ts';
import { type Deployment, prepareDeployment } from '../runtimes/deployment.ts';
import type { Workerd } from '../runtimes/workerd.ts';
import { columnCases } from './columns.ts';
import { playRow } from './play.ts';
import { startFaultProxy } from './proxy.ts';
import { type ProxiedPlayer, proxyRows } from './proxy-rows.ts';
import { timeoutMs } from './stage.ts';

const columns = ['ipfilter', 'ipfilterOpen'] as const;

/** The built executable, a Worker in workerd, and the proxy between them. */
interface WorkerRole extends ProxiedPlayer {
  readonly deployment: Deployment;
  workerd: Workerd;
  /** Starts the Worker, again too: where the proxy leads, and under the proxy's address. */
  start(): Promise<void>;
}

let roles: readonly WorkerRole[] = [];
beforeAll(async () => {
  roles = await Promise.all(columns.map(startRole));
});
afterAll(async () => {
  for (const { adapter, proxy, deployment } of roles) {
    await adapter.kill();
    await proxy.close();
    await deployment.close();
  }
});

async function startRole(column: (typeof columns)[number]): Promise<WorkerRole> {
  const { entry, section, ask, type } = columnCases[column];
  const deployment = await prepareDeployment({ entry });
  const proxy = await startFaultProxy(deployment.tls);
  const publicUrl = `https://localhost:${proxy.port}`;
  const executable = join(deployment.folder, 'sftpgo-plugin-serverless');
  await buildExecutable(join(import.meta.dirname, '../..'), executable);
  const keys = [`timeout: ${timeoutMs}ms`, section].filter((key) => key !== '');
  await deployment.lockAt(publicUrl, { section: keys.join(', ') });
  const workerd = await deployment.start({ publicUrl });
  proxy.upstream = workerd.port;
  const [name, value] = pluginTypes[type].cookie;
  const adapter = await launch({
    cmd: executable,
    args: ['serve', '--config', deployment.configPath],
    env: { SFTPGO_PLUGIN_SERVERLESS_NODE: process.execPath },
    cookie: { name, value },
    versions: [1],
  });
  const role: WorkerRole = {
    ...{ column, adapter, proxy, deployment, workerd },
    ask: (word) => ask(adapter, word),
    async start() {
      role.workerd = await deployment.start({ publicUrl });
      proxy.upstream = role.workerd.port;
    },
  };
  return role;
}

test.each([
  'resetOnce',
  'latency',
  'reset',
  'blackhole',
  'drip',
  'wrongBytes',
  'wrongBody',
  'otherAnswer',
  'badGateway',
] as const)('%s between adapter and workerd', async (name) => {
  await playRow(name, roles, proxyRows[name]);
});

test('workerd is killed, and another one is there later', async () => {
  await playRow('reset', roles, {
    begin: ({ workerd }) => workerd.kill(),
    end: (role) => role.start(),
  });
});
