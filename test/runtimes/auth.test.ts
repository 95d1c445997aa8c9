import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCertificate } from '../../adapter/goplugin/server/certificate.ts';
import { createInvoke } from '../../adapter/invoke/index.ts';
import { authSection } from '../../adapter/policies/auth/config.ts';
import { authPolicies } from '../../adapter/policies/auth/index.ts';
import { compose } from '../../adapter/policies/compose.ts';
import type { Handler } from '../../adapter/shapes.ts';
import type { Plugin } from '../../functions/kit/index.ts';
import { buildFunction } from '../../infra/build/function.ts';
import { Auth, type AuthResponse, type KeyboardAuthResponse } from '../../proto/gen/sftpgo/auth_pb.ts';
import { newKeys, startFunction } from '../support/function-server.ts';
import { callOf, connectionTo } from '../support/invoke.ts';
import { publicOf } from '../support/keys.ts';
import { codeOf } from '../support/policies.ts';
import { startWorkerd } from './workerd.ts';

const keys = newKeys();
const entry = join(import.meta.dirname, 'auth-plugin.ts');
const ceiling = { homes: ['/srv/sftp'], permissions: ['list' as const] };
const section = authSection.parse({ use: 'office', ceiling });
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'auth-test-'));
});
afterAll(async () => {
  await rm(dir, { recursive: true });
});

/** A function and the handler of an adapter before it. */
interface Running {
  readonly handle: Handler;
  close(): Promise<void>;
}

async function inNode(): Promise<Running> {
  const { artifacts } = await buildFunction({ entry, name: 'office', type: 'auth', outDir: dir });
  const { file = '', buildId = '' } = artifacts.find(({ runtime }) => runtime === 'worker') ?? {};
  const { default: plugin }: { readonly default: Plugin<object> } = await import(file);
  const served = await startFunction({ ...keys, plugin });
  return { handle: handlerOf(served.url, { version: buildId }), close: () => served.close() };
}

async function inWorkerd(): Promise<Running> {
  const { artifacts } = await buildFunction({ entry, name: 'office', type: 'auth', outDir: dir });
  const { file = '', buildId = '' } = artifacts.find(({ runtime }) => runtime === 'worker') ?? {};
  const tls = createCertificate({ names: ['localhost', '127.0.0.1'] });
  const env = {
    PLUGIN_FUNCTION: 'office@live',
    PLUGIN_CALLERS: JSON.stringify({ keys: [publicOf(keys.adapterKey)] }),
  };
  const secrets = { PLUGIN_KEY: JSON.stringify(keys.functionKey) };
  const workerd = await startWorkerd({ module: file, env, secrets, tls });
  return {
    handle: handlerOf(workerd.url, { version: buildId, caPem: tls.certPem }),
    close: () => workerd.close(),
  };
}

function handlerOf(url: string, options: { version?: string; caPem?: string } = {}): Handler {
  return compose(authPolicies(section), createInvoke(connectionTo(url, keys, options)));
}

describe.each([
  ['Node', inNode],
  ['workerd', inWorkerd],
])('auth, from the policies to a function in %s and back', (_, start) => {
  let running: Running;
  beforeAll(async () => {
    running = await start();
  });
  afterAll(async () => {
    await running.close();
  });

  async function login(username: string, password: string, record: string): Promise<string> {
    const user = new TextEncoder().encode(record);
    const { output } = await running.handle(
      callOf(Auth.method.checkUserAndPass, { username, password, user }),
    );
    return new TextDecoder().decode((output as AuthResponse).user);
  }

  test('a new user comes with every digit', async () => {
    const granted = await login('alice', 'ecila', '{"id":0,"username":"alice","permissions":null}');
    expect(granted).toContain('"quota_size":9007199254740993');
    expect(JSON.parse(granted)).toMatchObject({ username: 'alice', home_dir: '/srv/sftp/alice' });
  });

  test('a user travels there and back without losing a digit, and the hash stays here', async () => {
    const record =
      '{"id":9223372036854775807,"username":"moved","password":"hash","max_sessions":9007199254740993}';
    const granted = await login('moved', 'devom', record);
    expect(granted).toContain('"id":9223372036854775807');
    expect(granted).toContain('"max_sessions":9007199254740993');
    expect(JSON.parse(granted)).toMatchObject({ password: 'hash', description: 'moved' });
  });

  test('unchanged, denied, and more than the ceiling', async () => {
    expect(await login('bob', 'bob', '{"id":1,"username":"bob"}')).toBe('');
    expect(await codeOf(login('bob', 'wrong', '{"id":1,"username":"bob"}'))).toBe('DENIED');
    expect(await codeOf(login('mallory', 'yrollam', '{"id":1,"username":"mallory"}'))).toBe('GRANT_REFUSED');
  });

  test('a dialogue keeps its state from step to step', async () => {
    const step = async (number: number, answers: string[] = [], requestID = 'd1') => {
      const input = { requestID, username: 'bob', password: 'hash', step: number, answers };
      const ip = number === 1 ? '192.0.2.1' : '';
      const { output } = await running.handle(callOf(Auth.method.sendKeyboardAuthRequest, { ...input, ip }));
      return output as KeyboardAuthResponse;
    };
    expect(await step(1)).toMatchObject({ questions: ['City: '], echos: [true], authResult: 0 });
    expect(await step(2, ['Rome'])).toMatchObject({ questions: ['Password: '], checkPassword: 1 });
    expect(await step(3, ['OK'])).toMatchObject({ authResult: 1 });
    expect(await codeOf(step(3, ['OK']))).toBe('GRANT_REFUSED');
    await step(1, [], 'd2');
    expect(await codeOf(step(2, ['Paris'], 'd2'))).toBe('DENIED');
  });
});
