import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CreateAliasCommand, CreateKeyCommand, DisableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { createInvoke } from '../../adapter/invoke/index.ts';
import { compose } from '../../adapter/policies/compose.ts';
import { kmsSection } from '../../adapter/policies/kms/config.ts';
import { kmsPolicies } from '../../adapter/policies/kms/index.ts';
import type { Trace } from '../../adapter/shapes.ts';
import { awsKms } from '../../functions/kms/index.ts';
import { buildFunction } from '../../infra/build/function.ts';
import {
  type DecryptRequestSchema,
  type DecryptResponse,
  type EncryptRequestSchema,
  type EncryptResponse,
  KMS,
} from '../../proto/gen/sftpgo/kms_pb.ts';
import { type FunctionServer, newKeys, startFunction } from '../support/function-server.ts';
import { callOf, connectionTo } from '../support/invoke.ts';
import { publicOf } from '../support/keys.ts';
import { type KmsServer, startKmsServer } from './kms-server.ts';

const region = 'eu-central-1';
const keys = newKeys();
let server: KmsServer;
let served: FunctionServer;
let url: string;
let keyArn: string;

beforeAll(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  for (const level of ['warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => undefined);
  server = await startKmsServer();
  keyArn = await keyWithAlias('alias/sftpgo');
  url = `awskms://alias/sftpgo?region=${region}&endpoint=${encodeURIComponent(server.url)}&context_app=sftpgo`;
  const plugin = awsKms({ keys: ['alias/sftpgo'], regions: [region], endpoints: [server.url] });
  served = await startFunction({ ...keys, plugin });
});
afterAll(async () => {
  await served?.close();
  await server?.close();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});
afterEach(() => {
  server.deny.clear();
  vi.useRealTimers();
});

async function keyWithAlias(alias: string): Promise<string> {
  const admin = new KMSClient({ region, endpoint: server.url });
  const { KeyMetadata } = await admin.send(new CreateKeyCommand({}));
  await admin.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: KeyMetadata?.KeyId }));
  admin.destroy();
  return KeyMetadata?.Arn ?? '';
}

/** The adapter's whole way to a function: policies of the section, then signed HTTP. */
function adapter(section: object = {}, connection = connectionTo(served.url, keys)) {
  const handle = compose(
    kmsPolicies(kmsSection.parse({ use: 'vault', ...section })),
    createInvoke(connection),
  );
  return {
    async encrypt(input: MessageInitShape<typeof EncryptRequestSchema>) {
      const { payload, key, mode } = (await handle(callOf(KMS.method.encrypt, { url, ...input })))
        .output as EncryptResponse;
      return { payload, key, mode };
    },
    async decrypt(input: MessageInitShape<typeof DecryptRequestSchema>, trace: Trace = {}): Promise<string> {
      const reply = await handle(callOf(KMS.method.decrypt, { url, ...input }, { trace }));
      return (reply.output as DecryptResponse).payload;
    },
  };
}

const canaries = {
  payload: 'canary-clear-text',
  additionalData: 'canary-username',
  masterKey: 'canary-master-key',
};

test('a secret comes back below a master key, and nothing of it was on the wire', async () => {
  const { encrypt, decrypt } = adapter();
  const { payload, additionalData, masterKey } = canaries;
  const from = served.requests.length;
  const stored = await encrypt({ payload, additionalData, masterKey });
  expect(stored).toMatchObject({ key: expect.stringMatching(/^[0-9a-f]{64}$/), mode: 1 });
  expect(await decrypt({ ...stored, additionalData, masterKey })).toBe(payload);

  const bodies = served.requests.slice(from).map(({ body }) => Buffer.from(body).toString());
  expect(bodies.map((body) => Object.keys(JSON.parse(body)).sort())).toEqual([
    ['payload', 'url'],
    ['payload', 'url'],
  ]);
  const seen = JSON.stringify([served.requests.slice(from).map(({ headers }) => headers), bodies]);
  const kmsSaw = server.requests.map(({ body }) => JSON.stringify(body)).join();
  const key = Buffer.from(stored.key, 'hex');
  for (const secret of [...Object.values(canaries), stored.key]) {
    for (const text of [secret, ...encodings(secret), key.toString('base64')]) {
      expect(seen).not.toContain(text);
      expect(kmsSaw).not.toContain(text);
    }
  }
});

/** A text as it could hide: base64 at each of its three alignments, less the ends; hexadecimal. */
function encodings(text: string): string[] {
  const hex = Buffer.from(text).toString('hex');
  return [
    hex,
    ...[0, 1, 2].map((shift) =>
      Buffer.from(' '.repeat(shift) + text)
        .toString('base64')
        .slice(shift + 2, -4),
    ),
  ];
}

test('without a master key the function sees the clear text, and the official plugin could read it', async () => {
  const { encrypt, decrypt } = adapter();
  const stored = await encrypt({ payload: 'my secret', additionalData: 'user1' });
  expect(stored).toMatchObject({ key: '', mode: 0 });
  expect(server.requests.at(-1)?.body).toMatchObject({
    Plaintext: Buffer.from('my secret').toString('base64'),
    EncryptionContext: { app: 'sftpgo' },
  });
  expect(await decrypt({ ...stored, additionalData: 'user1' })).toBe('my secret');
});

test('a secret of the longest length comes back; a longer one is refused on the host', async () => {
  const { encrypt, decrypt } = adapter();
  const payload = 'k'.repeat(3032);
  const stored = await encrypt({ payload, masterKey: 'm' });
  expect(await decrypt({ ...stored, masterKey: 'm' })).toBe(payload);
  const before = served.requests.length;
  await expect(encrypt({ payload: `${payload}k`, masterKey: 'm' })).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    expected: expect.stringContaining('3032'),
  });
  expect(served.requests).toHaveLength(before);
});

test('the decrypt cache spares calls for its ttl, and never serves a changed master key', async () => {
  const { encrypt, decrypt } = adapter({ decryptCache: { ttl: '1m' } });
  const stored = await encrypt({ payload: 'my secret', masterKey: 'm' });
  expect(await decrypt({ ...stored, masterKey: 'm' })).toBe('my secret');
  const asked = served.requests.length;
  const trace: Trace = {};
  expect(await decrypt({ ...stored, masterKey: 'm' }, trace)).toBe('my secret');
  expect(trace.answeredBy).toBe('cache');
  await expect(decrypt({ ...stored, masterKey: 'changed' })).rejects.toMatchObject({
    code: 'ANSWER_INVALID',
  });
  expect(served.requests).toHaveLength(asked);

  server.deny.set('Decrypt', 'AccessDeniedException');
  expect(await decrypt({ ...stored, masterKey: 'm' })).toBe('my secret');
  const now = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => now + 60_000);
  await expect(decrypt({ ...stored, masterKey: 'm' })).rejects.toMatchObject({
    code: 'FUNCTION_ERROR',
    connect: 'failed_precondition',
  });
  vi.mocked(performance.now).mockRestore();
});

test.each<[string, (url: string) => string, string, string]>([
  ['another key', (u) => u.replace('alias/sftpgo', 'alias/other'), 'failed_precondition', 'alias/other'],
  ['another endpoint', (u) => u.replace('127.0.0.1', '127.0.0.2'), 'failed_precondition', 'endpoints'],
  ['another region', (u) => u.replace(region, 'us-east-1'), 'failed_precondition', 'us-east-1'],
  ['a role', (u) => `${u}&role=arn:aws:iam::111122223333:role/r`, 'failed_precondition', 'roles'],
  [
    'another encryption context',
    (u) => u.replace('=sftpgo', '=other'),
    'invalid_argument',
    'InvalidCiphertext',
  ],
  ['an unknown parameter', (u) => `${u}&color=red`, 'invalid_argument', 'unknown parameter color'],
  ['another scheme', (u) => u.replace('awskms', 'gcpkms'), 'invalid_argument', 'awskms://'],
])('a url with %s is a signed error of the function', async (_, change, connect, text) => {
  const { encrypt, decrypt } = adapter();
  const stored = await encrypt({ payload: 'my secret', masterKey: 'm' });
  await expect(decrypt({ ...stored, masterKey: 'm', url: change(url) })).rejects.toMatchObject({
    code: 'FUNCTION_ERROR',
    connect,
    functionText: expect.stringContaining(text),
  });
});

test('an old secret under a key that no alias names any more: the refusal says which ARN to add', async () => {
  const old = await keyWithAlias('alias/old');
  const plugin = awsKms({ keys: ['alias/old'], regions: [region], endpoints: [server.url] });
  const before = await startFunction({ ...keys, plugin });
  const stored = await adapter({}, connectionTo(before.url, keys)).encrypt({
    payload: 'old secret',
    masterKey: 'm',
    url: url.replace('alias/sftpgo', 'alias/old'),
  });
  await before.close();
  await expect(adapter().decrypt({ ...stored, masterKey: 'm' })).rejects.toMatchObject({
    connect: 'failed_precondition',
    functionText: `not allowed: add '${old}' to keys of awsKms()`,
  });
});

test('the built Node bundle does the same, from nothing but its environment', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kms-test-'));
  const built = await buildFunction({
    entry: join(import.meta.dirname, '../../functions/kms/example.ts'),
    name: 'vault',
    type: 'kms',
    outDir: folder,
    targets: ['node', 'lambda'],
  });
  expect(built.handles).toEqual(['Decrypt', 'Encrypt']);
  const child = spawn(process.execPath, [join(folder, 'vault.node.mjs')], {
    env: {
      PORT: '0',
      PLUGIN_FUNCTION: 'office@live',
      PLUGIN_CALLERS: JSON.stringify({ keys: [publicOf(keys.adapterKey)] }),
      PLUGIN_KEY: JSON.stringify(keys.functionKey),
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      // the function's own setting: a URL may name no endpoint there
      AWS_ENDPOINT_URL_KMS: server.url,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const version = built.artifacts.find(({ runtime }) => runtime === 'node')?.buildId ?? '';
    const connection = connectionTo(JSON.parse(line).url, keys, { version });
    const { encrypt, decrypt } = adapter({}, connection);
    const plain = 'awskms://alias/sftpgo?context_app=sftpgo';
    const stored = await encrypt({ payload: 'my secret', masterKey: 'm', url: plain });
    expect(server.requests.at(-1)).toMatchObject({ operation: 'Encrypt', region });
    expect(await decrypt({ ...stored, masterKey: 'm', url: plain })).toBe('my secret');
    // secrets do not depend on which build made them
    expect(await adapter().decrypt({ ...stored, masterKey: 'm' })).toBe('my secret');
    await expect(encrypt({ payload: 'x', url })).rejects.toMatchObject({
      functionText: expect.stringContaining('to endpoints of awsKms()'),
    });
  } finally {
    child.kill();
    await once(child, 'exit');
    await rm(folder, { recursive: true });
  }
});

test('a disabled key ends in a failed login, not in a wrong secret', async () => {
  const { encrypt, decrypt } = adapter();
  const stored = await encrypt({ payload: 'my secret', masterKey: 'm' });
  const admin = new KMSClient({ region, endpoint: server.url });
  await admin.send(new DisableKeyCommand({ KeyId: keyArn }));
  admin.destroy();
  await expect(decrypt({ ...stored, masterKey: 'm' })).rejects.toMatchObject({
    code: 'FUNCTION_ERROR',
    connect: 'failed_precondition',
  });
});
