import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newPrivateKey, writePrivateKey, writePublicKeys } from '../../adapter/cli/keys/files.ts';
import { GrpcError } from '../../adapter/goplugin/grpc-error.ts';
import { launch, type PluginClient } from '../../adapter/goplugin/host/launch.ts';
import type { Trace } from '../../adapter/shapes.ts';
import { buildExecutable } from '../../infra/build/executable.ts';
import { buildFunction } from '../../infra/build/function.ts';
import { acceptedLocal, manifestOf } from '../../infra/build/manifest.ts';
import { putFunction } from '../../infra/lock/put.ts';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { pluginTypes } from '../../proto/plugin-types.ts';

const run = promisify(execFile);
let folder: string;
let executable: string;
let plugin: PluginClient;
const lines: string[] = [];
const at = (file: string) => join(folder, file);

/** A real decision, and every way in which a bundle misbehaves, by address. */
const source = `
import { allow, deny, ipfilter } from 'sftpgo-plugin-serverless/kit';
console.log('loaded');
export default ipfilter({
  async checkIP({ ip }, { log }) {
    log.warn('asked', { ip });
    process.stdout.write('1|1|unix|/not/a/handshake|grpc|\\n');
    if (ip === '192.0.2.1') throw new Error('a handler that throws');
    if (ip === '192.0.2.2') for (;;);
    if (ip === '192.0.2.3') process.exit(0);
    if (ip === '192.0.2.4') { const kept = []; for (;;) kept.push({ ip }); }
    if (ip === '192.0.2.5') { setTimeout(() => { throw new Error('nobody catches'); }); await new Promise(() => {}); }
    return ip === '192.0.2.66' ? deny('banned') : allow();
  },
});
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'local-'));
  await chmod(folder, 0o755);
  executable = at('sftpgo-plugin-serverless');
  await buildExecutable(join(import.meta.dirname, '../..'), executable);
  await writeFile(at('office.ts'), source);
  const built = await buildFunction({ entry: at('office.ts'), name: 'office', outDir: at('out') });
  const manifest = manifestOf('office', built);
  const signer = newPrivateKey();
  await writePrivateKey(at('adapter.key.json'), newPrivateKey());
  await writePrivateKey(at('lock-signer.key.json'), signer);
  await writePublicKeys(at('lock-signer.jwks.json'), [signer]);
  await putFunction({
    lockFile: at('bundles.lock.json'),
    signerFile: at('lock-signer.key.json'),
    name: 'office@live',
    entry: {
      type: 'ipfilter',
      target: 'local',
      address: 'office.mjs',
      handles: [...built.handles],
      accepts: [acceptedLocal(manifest, 'office.mjs')],
      keys: [],
    },
  });
  await copyFile(at('out/office.worker.mjs'), at('office.mjs'));
  const config = [
    'identity: adapter.key.json',
    'lock: { file: bundles.lock.json }',
    'trust: { file: lock-signer.jwks.json }',
    'local: { memory: 64MiB }',
    'ipfilter: { use: office, timeout: 3s, integrity: { require: platform }, cache: { entries: 0 } }',
  ];
  await writeFile(at('serverless.yaml'), `${config.join('\n')}\n`);
  const [name, value] = pluginTypes.ipfilter.cookie;
  plugin = await launch({
    cmd: executable,
    args: ['serve', '--config', at('serverless.yaml')],
    env: { SFTPGO_PLUGIN_SERVERLESS_NODE: process.execPath },
    cookie: { name, value },
    versions: [1],
    onLog: (_level, message) => lines.push(message),
  });
});
afterAll(async () => {
  await plugin?.kill();
  await rm(folder, { recursive: true });
});

/** gRPC status and evidence of one CheckIP. */
async function check(ip: string): Promise<readonly [number, string | undefined]> {
  const outcome = await plugin
    .call(
      IPFilter.method.checkIP,
      { ip, protocol: 'SSH' },
      { timeoutMs: 20_000, metadata: { 'plugin-trace': '1' } },
    )
    .catch((error: unknown) => {
      if (error instanceof GrpcError) return error;
      throw error;
    });
  const trace: Trace = JSON.parse(outcome.trailers.get('plugin-trace') ?? '{}');
  return [outcome instanceof GrpcError ? outcome.grpcCode : 0, trace.facts?.evidence];
}

test('the built executable runs a built bundle in its own process and calls that evidence platform', async () => {
  expect(await check('198.51.100.7')).toEqual([0, 'platform']);
  expect(await check('192.0.2.66')).toEqual([7, 'platform']);
  const { stdout } = await run(process.execPath, [
    executable,
    'verify',
    '--config',
    at('serverless.yaml'),
    '--json',
  ]);
  expect(JSON.parse(stdout)).toMatchObject({
    function: 'office@live',
    field: 'SHA-256 of office.mjs',
    ok: true,
  });
});

test.each([
  ['throws', '192.0.2.1'],
  ['loops without end', '192.0.2.2'],
  ['calls process.exit', '192.0.2.3'],
  ['fills its heap', '192.0.2.4'],
  ['throws where nobody catches', '192.0.2.5'],
])('a bundle that %s denies that call, and the adapter serves on', async (_, ip) => {
  const { pid } = plugin;
  const [code] = await check(ip);
  expect(code).not.toBe(0);
  await expect.poll(() => check('198.51.100.7'), { timeout: 30_000, interval: 100 }).toEqual([0, 'platform']);
  expect([plugin.pid, plugin.exited]).toEqual([pid, false]);
});

test('what it prints is in the log, at the level it says, and is no handshake', () => {
  expect(lines).toContain('loaded');
  expect(lines).toContain('asked');
  expect(lines).toContain('1|1|unix|/not/a/handshake|grpc|');
});

test('verify names a changed file, and a start refuses it', async () => {
  await writeFile(at('office.mjs'), `${await readFile(at('office.mjs'), 'utf8')}\n`);
  const failed = await run(process.execPath, [
    executable,
    'verify',
    '--config',
    at('serverless.yaml'),
    '--json',
  ]).catch((error: { code: number; stdout: string }) => error);
  expect(failed).toMatchObject({ code: 1, stdout: expect.stringContaining('"ok":false') });
  expect(await check('198.51.100.7')).toEqual([0, 'platform']);
  await check('192.0.2.3');
  await expect.poll(async () => (await check('198.51.100.7'))[0], { timeout: 20_000 }).toBe(9);
  expect(lines.join('\n')).toMatch(/office\.mjs has SHA-256 [0-9a-f]{64}; expected a file of the lock/);
});
