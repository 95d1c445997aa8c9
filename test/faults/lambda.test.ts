import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, type PluginClient } from '../../adapter/goplugin/host/launch.ts';
import { buildExecutable } from '../../infra/build/executable.ts';
import { type PluginTypeName, pluginTypes } from '../../proto/plugin-types.ts';
import { type LambdaDeployment, prepareLambdaDeployment } from '../runtimes/lambda-deployment.ts';
import {
  accessDenied,
  type Fault,
  type HostCall,
  startLambdaHost,
  throttled,
} from '../runtimes/lambda-host.ts';
import { columnCases, columnNames } from './columns.ts';
import type { Word } from './functions/addresses.ts';
import { type Column, type EventsOn, matrix } from './matrix.ts';
import { type Player, playRow } from './play.ts';

let folder: string;
let executable: string;
const deployments: LambdaDeployment[] = [];
const roles: Player[] = [];
let host: Awaited<ReturnType<typeof startLambdaHost>>;

/** Functions of these columns, one a type, behind one configuration, and an adapter for each. */
async function deploy(names: readonly Column[]): Promise<void> {
  const functions = names.map((column) => {
    const { type, entry, section } = columnCases[column];
    const name = column.toLowerCase();
    return { type, entry, name, section: ['timeout: 5s', section].filter((part) => part !== '').join(', ') };
  });
  const deployment = await prepareLambdaDeployment(functions, { host });
  deployments.push(deployment);
  const config = await readFile(deployment.configPath, 'utf8');
  await writeFile(deployment.configPath, config.replace('aws: {', 'aws: { watch: 1s,'));
  const args = ['serve', '--config', deployment.configPath];
  await Promise.all(
    names.map(async (column) => {
      const { type, ask } = columnCases[column];
      const adapter = await start(type, args);
      roles.push({ column, adapter, ask: (word) => ask(adapter, word) });
    }),
  );
}

async function start(type: PluginTypeName, args: readonly string[]): Promise<PluginClient> {
  const [name, value] = pluginTypes[type].cookie;
  const env = { SFTPGO_PLUGIN_SERVERLESS_NODE: process.execPath };
  return await launch({ cmd: executable, args, env, cookie: { name, value }, versions: [1] });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lambda-faults-'));
  executable = join(folder, 'sftpgo-plugin-serverless');
  await buildExecutable(join(import.meta.dirname, '../..'), executable);
  host = await startLambdaHost({ runtime: 'node' });
  await deploy(columnNames.filter((name) => name !== 'ipfilterOpen'));
  await deploy(['ipfilterOpen']);
});
afterAll(async () => {
  for (const { adapter } of roles) await adapter.kill();
  for (const deployment of deployments) await deployment.close();
  await host?.close();
  await rm(folder, { recursive: true });
});

interface Happens {
  /** In place of each Invoke; with `plane`, of each look at what is deployed. */
  readonly fault?: Fault;
  readonly plane?: true;
  readonly word?: Word;
}

/** Resolves when the adapter of this column has looked at what is deployed, twice from now on. */
async function looked(column: Column): Promise<void> {
  const before = host.calls.length;
  const looks = () =>
    host.calls
      .slice(before)
      .filter(
        ({ operation, name }) => operation === 'GetFunctionConfiguration' && name === column.toLowerCase(),
      );
  await expect.poll(() => looks().length, { timeout: 60_000 }).toBeGreaterThanOrEqual(2);
}

const failed = (errorType: string): Fault => ({
  payload: JSON.stringify({ errorType, errorMessage: 'RequestId: 0 Error: failed' }),
  functionError: 'Unhandled',
});

const happens: Readonly<Record<EventsOn<'lambda'>, Happens>> = {
  throttled: { fault: throttled },
  serviceError: { fault: { status: 500, type: 'ServiceException', message: 'failed', fault: 'Service' } },
  apiReset: { fault: 'reset' },
  apiSilent: { fault: 'hang' },
  lambdaCrash: { word: 'exit' },
  lambdaMemory: { fault: failed('Runtime.OutOfMemory') },
  lambdaTimeout: { fault: failed('Sandbox.Timedout') },
  planeReset: { plane: true, fault: 'reset' },
  planeThrottled: { plane: true, fault: throttled },
  planeForbidden: { plane: true, fault: accessDenied('lambda:GetFunctionConfiguration') },
  otherVersion: { fault: { executedVersion: '999' } },
};

test.each(Object.keys(matrix).filter((name): name is EventsOn<'lambda'> => Object.hasOwn(happens, name)))(
  '%s',
  async (name) => {
    const { fault, word, plane } = happens[name];
    const faulty: HostCall['operation'] = plane ? 'GetFunctionConfiguration' : 'Invoke';
    await playRow(name, roles, {
      async begin({ column }) {
        host.fault = fault && (({ operation }) => (operation === faulty ? fault : undefined));
        if (plane) await looked(column);
      },
      end: () => {
        host.fault = undefined;
      },
      word,
    });
  },
);

test('every role runs on as the process that was started', () => {
  expect(roles.filter(({ adapter }) => adapter.exited)).toEqual([]);
});
