import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { GrpcError } from '../../adapter/goplugin/grpc-error.ts';
import { launch } from '../../adapter/goplugin/host/launch.ts';
import { buildExecutable } from '../../infra/build/executable.ts';
import { pluginTypes } from '../../proto/plugin-types.ts';
import { type Clouds, credentials, startClouds, token } from './canaries/clouds.ts';
import { type HostCall, hostCall, sentCanaries } from './canaries/inputs.ts';
import { deedOf, intercept, isSilent } from './canaries/interceptions.ts';
import { canary, canaryBytes, canaryKey, canaryNames, findCanary, plainCanary } from './canaries/secrets.ts';
import { type Ground, newWatch, openStage, type Stage, startGround, types } from './canaries/stage.ts';

/** Calls in all: CANARY_CALLS, or 100,000. The parts below are of a hundred. */
const calls = Number(process.env['CANARY_CALLS'] ?? 100_000);
const parts = { mixed: 40, cached: 10, overload: 15, outage: 25, files: 5, clouds: 5 } as const;
const limitMs = Math.max(240_000, calls * 10);

const watch = newWatch();
/** Names of canaries that reached a handler. */
const arrived = new Set<string>();
let ground: Ground;
let clouds: Clouds;
let asked = 0;

beforeAll(async () => {
  // what an author's code writes where it runs is not the adapter's
  for (const level of ['debug', 'info', 'warn', 'error'] as const) vi.spyOn(console, level).mockReturnValue();
  clouds = await startClouds();
  ground = await startGround(watch, deedOf, (text) => {
    for (const name of canaryNames(text)) arrived.add(name);
  });
});
afterAll(async () => {
  await ground?.close();
  await clouds?.close();
  vi.restoreAllMocks();
});

/** Makes so many of a hundred of the calls, `atOnce` of them at one time. */
async function make(part: number, atOnce: number, ask: (n: number) => Promise<void>): Promise<void> {
  const until = asked + Math.round((calls * part) / 100);
  const caller = async () => {
    while (asked < until) await ask(asked++);
  };
  await Promise.all(Array.from({ length: atOnce }, caller));
}

/** Makes the n-th call, or the given one, on a stage. */
function askWith(stage: Stage) {
  return async (n: number, call: HostCall = hostCall(n), timeoutMs?: number) => {
    const id = randomBytes(16).toString('hex');
    await stage.ask(call, id, timeoutMs ?? (isSilent(id) ? 30 : 10_000));
  };
}

/** The next call of one of these types. */
function callOf(n: number, wanted: readonly string[]): HostCall {
  for (let at = n; ; at += 1) {
    const call = hostCall(at);
    if (wanted.includes(call.type)) return call;
  }
}

test('a canary is found in every form, wherever it stands', () => {
  for (const text of [
    canary('a'),
    plainCanary('b'),
    canaryBytes('c').toString('latin1'),
    credentials,
    token,
  ]) {
    for (const before of ['', '.', '..']) {
      const bytes = Buffer.from(before + text);
      for (const form of ['utf8', 'base64', 'base64url', 'hex'] as const) {
        expect(findCanary(`{"x":"${bytes.toString(form)}"}`)).toBeDefined();
      }
      expect(findCanary(JSON.stringify(JSON.stringify({ text })))).toBeDefined();
      expect(findCanary(JSON.stringify(bytes))).toBeDefined();
    }
  }
  expect(findCanary(JSON.stringify(canaryKey('adapter')))).toBeDefined();
  expect(
    findCanary(JSON.stringify({ type: 'auth', seq: 1, expires: '2099-01-01T00:00:00Z' })),
  ).toBeUndefined();
});

test(
  'answers of every kind, of functions and of what stands in their place, show no secret anywhere',
  async () => {
    for (const server of ground.servers) intercept(server);
    const stage = openStage(ground.folder.configPath, watch);
    const ask = askWith(stage);
    await make(parts.mixed, 32, (n) => ask(n));
    await stage.look();
    // each of these was there, so that there was something to look at
    for (const code of [
      'ok',
      'DENIED',
      'FUNCTION_ERROR',
      'ANSWER_INVALID',
      'ANSWER_REFUSED',
      'ANSWER_UNSIGNED',
      'UNREACHABLE',
      'GRANT_REFUSED',
      'DEADLINE',
    ]) {
      expect([code, stage.endings.get(code) ?? 0]).toEqual([code, expect.toSatisfy((n: number) => n > 0)]);
    }
    expect([...arrived].sort()).toEqual(expect.arrayContaining([...sentCanaries]));
    const secret = hostCall(5);
    await make(parts.cached, 32, (n) => ask(n, secret));
    await stage.close();
    expect(watch.found).toEqual([]);
  },
  limitMs,
);

test(
  'neither does too much at once, nor an outage',
  async () => {
    const stage = openStage(ground.folder.configPath, watch);
    const ask = askWith(stage);
    for (const server of ground.servers) server.intercept = () => 'hang';
    for (const type of types) {
      await make(parts.overload / types.length, 2500, (n) => ask(n, callOf(n, [type]), 1000));
    }
    if (calls >= 50_000) expect(stage.endings.get('OVERLOADED')).toBeGreaterThan(1000);
    for (const server of ground.servers) server.intercept = () => 'reset';
    await make(parts.outage, 32, (n) => ask(n));
    expect(stage.endings.get('UNREACHABLE')).toBeGreaterThan(0);
    await stage.look();
    await stage.close();
    expect(watch.found).toEqual([]);
  },
  limitMs,
);

test(
  'nor do files that are wrong, at start and while running',
  async () => {
    const { folder, config } = ground;
    const key = JSON.stringify(canaryKey('adapter'));
    const pasted = config.replace('identity: adapter.key.json', `identity: '${key}'`);
    const wrong: readonly (readonly [file: string, text: string, mode?: number])[] = [
      ['adapter.key.json', key.slice(0, -10)],
      ['adapter.key.json', `${key}${key}`],
      ['adapter.key.json', key.replace('"d"', '"e"')],
      ['adapter.key.json', key.replace('OKP', canary('kty'))],
      ['adapter.key.json', key.replace('"x":"', '"x":"A')],
      ['adapter.key.json', JSON.stringify({ keys: [JSON.parse(key)] })],
      ['adapter.key.json', key, 0o644],
      ['serverless.yaml', pasted],
      ['serverless.yaml', config.replace('identity: adapter.key.json', `identity: ${key}`)],
      ['signers.jwks.json', JSON.stringify({ keys: [JSON.parse(key)] })],
      ['bundles.lock.json', key],
    ];
    const whole: Readonly<Record<string, string>> = Object.fromEntries(
      wrong.map(([file]) => [file, readFileSync(folder.at(file), 'utf8')]),
    );
    for (const server of ground.servers) intercept(server);
    const running = openStage(folder.configPath, watch);
    const share = parts.files / wrong.length / 2;
    for (const [file, text, mode] of wrong) {
      await folder.write(file, text, mode);
      await running.refresh();
      await make(share, 32, (n) => askWith(running)(n));
      const started = openStage(folder.configPath, watch);
      await make(share, 32, (n) => askWith(started)(n));
      await started.look();
      await started.close();
      await folder.write(file, whole[file] ?? '');
      await running.refresh();
    }
    await running.look();
    await running.close();
    expect(watch.found).toEqual([]);
  },
  limitMs,
);

test(
  'nor do AWS and Cloudflare, which quote all that they are told, nor their credentials when they are wrong',
  async () => {
    const { folder } = clouds;
    const wrong: readonly (readonly [file: string, text: string, mode?: number])[] = [
      ['aws-credentials', credentials],
      ['aws-credentials', credentials.replaceAll(' = ', ' : ')],
      ['aws-credentials', credentials.replaceAll('\n', ' ')],
      ['aws-credentials', credentials, 0o644],
      ['cloudflare.token', `${token} "${token}"`],
      ['cloudflare.token', token, 0o644],
    ];
    const right: Readonly<Record<string, string>> = {
      'aws-credentials': credentials,
      'cloudflare.token': token,
    };
    for (const [file, text, mode] of wrong) {
      await folder.write(file, text, mode);
      const stage = openStage(folder.configPath, watch, ['auth', 'kms']);
      await make(parts.clouds / wrong.length, 32, (n) => askWith(stage)(n, callOf(n, ['auth', 'kms'])));
      await stage.look();
      await stage.close();
      await folder.write(file, right[file] ?? '');
    }
    expect(clouds.quoted).toBeGreaterThan(0);
    expect(watch.found).toEqual([]);
  },
  limitMs,
);

test(
  'nor does the executable itself, in what a host sees of it',
  async () => {
    const executable = ground.folder.at('sftpgo-plugin-serverless');
    await buildExecutable(join(import.meta.dirname, '../..'), executable);
    for (const server of ground.servers) intercept(server);
    const roles = [
      ...types.map((type) => [type, ground.folder.configPath] as const),
      ...(['auth', 'kms'] as const).map((type) => [type, clouds.folder.configPath] as const),
    ];
    const codes = new Map<number, number>();
    for (const [type, configPath] of roles) {
      const [name, value] = pluginTypes[type].cookie;
      const plugin = await launch({
        cmd: executable,
        args: ['serve', '--config', configPath],
        env: { SFTPGO_PLUGIN_SERVERLESS_NODE: process.execPath },
        cookie: { name, value },
        versions: [1],
        onLog: (...line) => watch.see('stderr of the process', JSON.stringify(line)),
      });
      const ask = async ({ method, input }: HostCall) => {
        await plugin.call({ ...method, methodKind: 'unary' }, input, { timeoutMs: 2000 }).then(
          () => codes.set(0, (codes.get(0) ?? 0) + 1),
          (error: unknown) => {
            if (!(error instanceof GrpcError)) throw error;
            codes.set(error.grpcCode, (codes.get(error.grpcCode) ?? 0) + 1);
            watch.see('a gRPC status', error.message);
          },
        );
      };
      const some = Array.from({ length: 100 }, (_, n) => callOf(n, [type]));
      await Promise.all(some.map(ask));
      if (type === 'kms') {
        const { method, input } = callOf(0, ['kms']);
        await ask({
          type,
          method,
          input: { ...input, payload: canary('large').repeat(150_000) } as typeof input,
        });
      }
      await plugin.kill();
    }
    expect([...codes.values()].reduce((sum, count) => sum + count, 0)).toBe(100 * roles.length + 2);
    expect([...codes.keys()]).toEqual(expect.arrayContaining([0, 7, 8, 14]));
    const stage = openStage(ground.folder.configPath, watch, []);
    await stage.look();
    expect(watch.found).toEqual([]);
  },
  limitMs,
);
