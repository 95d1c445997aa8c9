import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, type PluginClient } from '../../adapter/goplugin/host/launch.ts';
import { buildExecutable } from '../../infra/build/executable.ts';
import { type PluginTypeName, pluginTypes } from '../../proto/plugin-types.ts';
import { type LambdaDeployment, prepareLambdaDeployment } from '../runtimes/lambda-deployment.ts';
import { type Fault, startLambdaHost, throttled } from '../runtimes/lambda-host.ts';
import { columnCases, columnNames, type Word } from './columns.ts';
import { type Column, type EventsOn, matrix } from './matrix.ts';
import { type Player, playRow } from './play.ts';

const executable = join(import.meta.dirname, '../../dist/faults-lambda/sftpgo-plugin-serverless');
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
  await buildExecutable(join(import.meta.dirname, '../..'), executable);
  host = await startLambdaHost({ runtime: 'node' });
  await deploy(columnNames.filter((name) => name !== 'ipfilterOpen'));
  await deploy(['ipfilterOpen']);
});
afterAll(async () => {
  for (const { adapter } of roles) await adapter.kill();
  for (const deployment of deployments) await deployment.close();
  await host?.close();
});

interface Happens {
  readonly fault?: Fault;
  readonly word?: Word;
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
  otherVersion: { fault: { executedVersion: '999' } },
};

test.each(Object.keys(matrix).filter((name): name is EventsOn<'lambda'> => Object.hasOwn(happens, name)))(
  '%s',
  async (name) => {
    const { fault, word } = happens[name];
    await playRow(name, roles, {
      begin: () => {
        host.fault = fault && (({ operation }) => (operation === 'Invoke' ? fault : undefined));
      },
      end: () => {
        host.fault = undefined;
      },
      ask: ({ ask }) => ask(word),
    });
  },
);

test('every role runs on as the process that was started', () => {
  expect(roles.filter(({ adapter }) => adapter.exited)).toEqual([]);
});
