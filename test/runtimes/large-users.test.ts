import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GrpcError } from '../../adapter/goplugin/grpc-error.ts';
import { launch, type PluginClient } from '../../adapter/goplugin/host/launch.ts';
import { accept, auth } from '../../functions/kit/index.ts';
import { buildExecutable } from '../../infra/build/executable.ts';
import { buildFunction } from '../../infra/build/function.ts';
import { acceptedLocal, manifestOf } from '../../infra/build/manifest.ts';
import { putFunction } from '../../infra/lock/put.ts';
import { Auth } from '../../proto/gen/sftpgo/auth_pb.ts';
import type { LockedFunction } from '../../proto/lock/schema.ts';
import { pluginTypes } from '../../proto/plugin-types.ts';
import { type FunctionServer, newKeys, sourceBuildId, startFunction } from '../support/function-server.ts';
import { publicOf } from '../support/keys.ts';
import { type LambdaDeployment, prepareLambdaDeployment } from './lambda-deployment.ts';

const targets = ['https', 'local', 'lambda'] as const;
type TargetName = (typeof targets)[number];

let deployment: LambdaDeployment;
let server: FunctionServer;
const adapters = new Map<TargetName, { plugin: PluginClient; lines: string[] }>();
const at = (file: string) => join(deployment.folder, file);

/** Any password is right, and the host's own user stays as it is. */
const source = `
import { accept, auth } from 'sftpgo-plugin-serverless/kit';
export default auth({ checkUserAndPass: () => accept.unchanged() });
`;

beforeAll(async () => {
  const { functionKey } = newKeys();
  const entry = join(import.meta.dirname, 'auth-plugin.ts');
  deployment = await prepareLambdaDeployment([{ type: 'auth', entry, name: 'team-lambda' }]);
  await Promise.all([
    buildExecutable(join(import.meta.dirname, '../..'), at('sftpgo-plugin-serverless')),
    writeFile(at('team.ts'), source),
  ]);
  const { lockFile, signerFile, adapterKey } = deployment;
  const put = async (target: 'https' | 'local', rest: Pick<LockedFunction, 'address' | 'accepts' | 'keys'>) =>
    await putFunction({
      lockFile,
      signerFile,
      name: `team-${target}@live`,
      entry: { type: 'auth', target, handles: ['CheckUserAndPass'], ...rest },
    });
  const functionName = 'team-https@live';
  const plugin = auth<object>({ checkUserAndPass: () => accept.unchanged() });
  server = await startFunction({ adapterKey, functionKey, functionName, plugin });
  const version = { version: sourceBuildId, files: {}, config: {}, inputs: {} };
  await put('https', { address: server.url, accepts: [version], keys: [publicOf(functionKey)] });
  const built = await buildFunction({ type: 'auth', entry: at('team.ts'), name: 'team', outDir: at('out') });
  const accepted = acceptedLocal(manifestOf('team', built), 'team.worker.mjs');
  await put('local', { address: 'out/team.worker.mjs', accepts: [accepted], keys: [] });
  await Promise.all(targets.map(start));
});
afterAll(async () => {
  await Promise.all([...adapters.values()].map(({ plugin }) => plugin.kill()));
  await Promise.all([server?.close(), deployment?.close()]);
});

/** The built executable, as SFTPGo starts it. */
async function start(target: TargetName): Promise<void> {
  const configPath = target === 'lambda' ? deployment.configPath : at(`${target}.yaml`);
  const config = [
    'identity: adapter.key.json',
    'lock: { file: bundles.lock.json }',
    'trust: { file: lock-signer.jwks.json }',
    `auth: { use: team-${target} }`,
  ];
  if (target !== 'lambda') await writeFile(configPath, `${config.join('\n')}\n`);
  const [name, value] = pluginTypes.auth.cookie;
  const lines: string[] = [];
  const plugin = await launch({
    cmd: at('sftpgo-plugin-serverless'),
    args: ['serve', '--config', configPath],
    env: { SFTPGO_PLUGIN_SERVERLESS_NODE: process.execPath },
    cookie: { name, value },
    versions: [1],
    onLog: (_level, message) => lines.push(message),
  });
  adapters.set(target, { plugin, lines });
}

/** A login of a user whose record is about so long, and what host and log were told of it. */
async function login(target: TargetName, megabytes: number) {
  const adapter = adapters.get(target);
  if (adapter === undefined) throw new Error(`no adapter for ${target}`);
  const { plugin, lines } = adapter;
  const begun = lines.length;
  const record = { id: 7, username: 'bob', status: 1, description: 'x'.repeat(megabytes * 1_000_000) };
  const input = {
    username: 'bob',
    password: 'bob',
    ip: '192.0.2.1',
    protocol: 'SSH',
    user: new TextEncoder().encode(JSON.stringify(record)),
  };
  const [grpcCode, text] = await plugin
    .call(Auth.method.checkUserAndPass, input, { timeoutMs: 20_000 })
    .then(() => [0, ''] as const)
    .catch((error: unknown) => {
      if (error instanceof GrpcError) return [error.grpcCode, error.message] as const;
      throw error;
    });
  return { grpcCode, said: () => [text, ...lines.slice(begun)].join('\n') };
}

test.each([
  ['https', 20, '8388608'],
  ['local', 20, '8388608'],
  ['lambda', 20, '8388608'],
  ['https', 5, '6291456'],
  ['local', 5, '6291456'],
  ['lambda', 5, '6291456'],
  ['lambda', 4, '6291456'],
] as const)(
  '%s: a user of %i MB is RESOURCE_EXHAUSTED at once, the limit is named, the next login works',
  async (target, megabytes, limit) => {
    expect((await login(target, 0)).grpcCode).toBe(0);
    const sent = server.requests.length + deployment.host.calls.length;
    const { grpcCode, said } = await login(target, megabytes);
    expect(grpcCode).toBe(8);
    expect(server.requests.length + deployment.host.calls.length).toBe(sent);
    await expect.poll(said).toContain(limit);
    expect((await login(target, 0)).grpcCode).toBe(0);
  },
);

test.each([
  ['https', 4],
  ['local', 4],
  ['lambda', 3],
] as const)('%s: a user of %i MB is carried', async (target, megabytes) => {
  expect((await login(target, megabytes)).grpcCode).toBe(0);
});
