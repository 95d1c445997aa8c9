import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  KMSClient,
  ScheduleKeyDeletionCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type KmsServer, startKmsServer } from '../../test/runtimes/kms-server.ts';
import { call } from '../kit/test.ts';
import { type AwsKmsOptions, awsKms } from './index.ts';

const region = 'eu-central-1';
let server: KmsServer;
let admin: KMSClient;
let id: string;
let arn: string;

beforeAll(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  server = await startKmsServer();
  admin = new KMSClient({ region, endpoint: server.url });
});
afterAll(async () => {
  admin.destroy();
  await server.close();
  vi.unstubAllEnvs();
});

let count = 0;
let alias: string;

beforeEach(async () => {
  for (const level of ['warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => undefined);
  server.deny.clear();
  count += 1;
  alias = `alias/sftpgo-${count}`;
  ({ id, arn } = await newKey());
  await admin.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: id }));
});
afterEach(() => {
  vi.restoreAllMocks();
});

async function newKey(): Promise<{ id: string; arn: string }> {
  const { KeyMetadata } = await admin.send(new CreateKeyCommand({}));
  return { id: KeyMetadata?.KeyId ?? '', arn: KeyMetadata?.Arn ?? '' };
}

/** The plugin on the server's endpoint, with the alias of this test unless `options` say otherwise. */
function service(options: Partial<AwsKmsOptions> = {}, env = { AWS_REGION: region }) {
  return call(awsKms({ keys: [alias], endpoints: [server.url], ...options }), { env });
}

const urlOf = (key: string, more = '') => `awskms://${key}?endpoint=${encodeURIComponent(server.url)}${more}`;

test('round trip by alias, id and ARN; the payload is base64 of the ciphertext of one Encrypt', async () => {
  const { encrypt, decrypt } = service({ keys: [alias, id, arn] });
  for (const url of [urlOf(alias), urlOf(id), urlOf(`/${arn}`)]) {
    const before = server.requests.length;
    const payload = await encrypt({ payload: 'my secret – é', url });
    expect(server.requests.slice(before).map(({ operation }) => operation)).toEqual(['Encrypt']);
    expect(Buffer.from(payload, 'base64').toString('base64')).toBe(payload);
    expect(await decrypt({ payload, url })).toBe('my secret – é');
    expect(server.requests.at(-1)?.body).not.toHaveProperty('KeyId');
  }
});

test('the encryption context goes with it, both ways; another one does not decrypt', async () => {
  const { encrypt, decrypt } = service();
  const payload = await encrypt({ payload: 'x', url: urlOf(alias, '&context_app=sftpgo&context_b=1') });
  expect(server.requests.at(-1)?.body['EncryptionContext']).toEqual({ app: 'sftpgo', b: '1' });
  expect(await decrypt({ payload, url: urlOf(alias, '&context_b=1&context_app=sftpgo') })).toBe('x');
  for (const other of ['', '&context_app=sftpgo', '&context_app=sftpgo&context_b=2']) {
    await expect(decrypt({ payload, url: urlOf(alias, other) })).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('InvalidCiphertextException'),
    });
  }
});

test.each<[string, string, Partial<AwsKmsOptions>, string]>([
  ['a key', 'alias/other?', {}, "add 'alias/other' to keys"],
  ['an endpoint', 'ALIAS?endpoint=https://evil.example', {}, "add 'https://evil.example' to endpoints"],
  ['a role', 'ALIAS?role=arn:aws:iam::111122223333:role/r', {}, 'to roles'],
  ['a profile', 'ALIAS?profile=p', {}, 'to profiles'],
  ['a region', 'ALIAS?region=us-east-1', {}, "add 'us-east-1' to regions"],
  [
    'the own region, when others are listed',
    'ALIAS?',
    { regions: ['us-east-1'] },
    "'eu-central-1' to regions",
  ],
  ['a context', 'ALIAS?context_a=b', { contextKeys: ['app'] }, "add 'a' to contextKeys"],
])('%s that is not on the list is refused before KMS is asked', async (_, path, options, why) => {
  const { encrypt, decrypt } = service(options);
  const before = server.requests.length;
  const url = `awskms://${path.replace('ALIAS', alias)}`;
  for (const run of [encrypt, decrypt]) {
    await expect(run({ payload: 'YQ==', url })).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining(why),
    });
  }
  expect(server.requests).toHaveLength(before);
});

test('an id on the list is not the alias, and an alias not its id: the URL names an entry literally', async () => {
  await expect(service().encrypt({ payload: 'x', url: urlOf(id) })).rejects.toThrow('to keys');
  await expect(service({ keys: [id] }).encrypt({ payload: 'x', url: urlOf(alias) })).rejects.toThrow(
    'to keys',
  );
});

test('regions: the own, those of listed ARNs, and no other; an ARN and another region contradict', async () => {
  const elsewhere = arn.replace(region, 'eu-west-1');
  const { encrypt } = service({ keys: [alias, elsewhere] });
  // allowed, and KMS there has no such alias
  await expect(encrypt({ payload: 'x', url: urlOf(alias, '&region=eu-west-1') })).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringContaining('NotFoundException'),
  });
  expect(server.requests.at(-1)?.region).toBe('eu-west-1');
  await expect(
    encrypt({ payload: 'x', url: urlOf(`/${elsewhere}`, `&region=${region}`) }),
  ).rejects.toMatchObject({
    code: 'invalid_argument',
  });
  await expect(
    call(awsKms({ keys: ['alias/a'] }), { env: {} }).encrypt({ payload: 'x', url: 'awskms://alias/a' }),
  ).rejects.toThrow('names no region');
});

test('a secret under a key that is not on the list is refused with the line to add', async () => {
  const old = await newKey();
  const payload = await service({ keys: [old.id] }).encrypt({ payload: 'old secret', url: urlOf(old.id) });
  await expect(service().decrypt({ payload, url: urlOf(alias) })).rejects.toMatchObject({
    code: 'failed_precondition',
    message: `not allowed: add '${old.arn}' to keys of awsKms()`,
  });
  for (const key of [old.arn, old.id]) {
    const { decrypt } = service({ keys: [alias, key] });
    expect(await decrypt({ payload, url: urlOf(alias) })).toBe('old secret');
  }
});

test('an alias stands for the key that it names now, asked once in five minutes', async () => {
  const { encrypt, decrypt } = service();
  const payload = await encrypt({ payload: 'x', url: urlOf(alias) });
  const before = server.requests.length;
  await decrypt({ payload, url: urlOf(alias) });
  await decrypt({ payload, url: urlOf(alias) });
  expect(server.requests.slice(before).map(({ operation }) => operation)).toEqual([
    'Decrypt',
    'DescribeKey',
    'Decrypt',
  ]);
  await admin.send(new UpdateAliasCommand({ AliasName: alias, TargetKeyId: (await newKey()).id }));
  expect(await decrypt({ payload, url: urlOf(alias) })).toBe('x');
  const now = performance.now();
  vi.spyOn(performance, 'now').mockReturnValue(now + 300_000);
  await expect(decrypt({ payload, url: urlOf(alias) })).rejects.toThrow(`add '${arn}' to keys`);
});

test('the alias of another region is not asked for here', async () => {
  const old = await newKey();
  const payload = await service({ keys: [old.id] }).encrypt({ payload: 'x', url: urlOf(old.id) });
  const elsewhere = `arn:aws:kms:us-east-1:111122223333:${alias}`;
  const before = server.requests.length;
  const { decrypt } = service({ keys: [id, elsewhere] });
  await expect(decrypt({ payload, url: urlOf(id) })).rejects.toThrow(`add '${old.arn}' to keys`);
  expect(server.requests.slice(before).map(({ operation }) => operation)).toEqual(['Decrypt']);
});

test('without the right to DescribeKey an alias cannot stand for its key: refused with the ARN to add', async () => {
  const { encrypt, decrypt } = service();
  const payload = await encrypt({ payload: 'x', url: urlOf(alias) });
  server.deny.set('DescribeKey', 'AccessDeniedException');
  await expect(decrypt({ payload, url: urlOf(alias) })).rejects.toThrow(`add '${arn}' to keys`);
  expect(await service({ keys: [alias, arn] }).decrypt({ payload, url: urlOf(alias) })).toBe('x');
  server.deny.set('DescribeKey', 'KeyUnavailableException');
  await expect(decrypt({ payload, url: urlOf(alias) })).rejects.toMatchObject({ code: 'unavailable' });
});

test('an id on the list is compared whole', async () => {
  const payload = await service().encrypt({ payload: 'x', url: urlOf(alias) });
  const mrk = 'mrk-12345678901234567890123456789012';
  const { decrypt } = service({ keys: [mrk, id.slice(0, 32), id.slice(4)] });
  await expect(decrypt({ payload, url: urlOf(mrk) })).rejects.toThrow(`add '${arn}' to keys`);
});

test('keys that are disabled or about to be deleted, and tampered ciphertexts', async () => {
  const { encrypt, decrypt } = service();
  const url = urlOf(alias);
  const payload = await encrypt({ payload: 'x', url });
  await admin.send(new DisableKeyCommand({ KeyId: id }));
  for (const run of [encrypt, decrypt]) {
    await expect(run({ payload, url })).rejects.toMatchObject({
      code: 'failed_precondition',
      message: 'DisabledException: the key is disabled',
    });
  }
  await admin.send(new EnableKeyCommand({ KeyId: id }));
  const bytes = Buffer.from(payload, 'base64');
  bytes[bytes.length - 1] = Number(bytes.at(-1)) ^ 1;
  for (const broken of [bytes.toString('base64'), 'YQ==', 'no base64']) {
    await expect(decrypt({ payload: broken, url })).rejects.toMatchObject({ code: 'invalid_argument' });
  }
  await admin.send(new ScheduleKeyDeletionCommand({ KeyId: id }));
  await expect(decrypt({ payload, url })).rejects.toMatchObject({ code: 'failed_precondition' });
});

test('4,096 bytes are encrypted, one more is not', async () => {
  const { encrypt } = service();
  await encrypt({ payload: 'x'.repeat(4096), url: urlOf(alias) });
  await expect(encrypt({ payload: 'x'.repeat(4097), url: urlOf(alias) })).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringContaining('4096'),
  });
});

test.each([
  ['AccessDeniedException', 'failed_precondition'],
  ['ThrottlingException', 'unavailable'],
  ['KMSInternalException', 'unavailable'],
  ['UnrecognizedClientException', 'failed_precondition'],
  ['SomethingNewException', 'unavailable'],
])('%s is %s, without the text of AWS, which names users', async (type, code) => {
  server.deny.set('Encrypt', type);
  const failed = service().encrypt({ payload: 'x', url: urlOf(alias) });
  await expect(failed).rejects.toMatchObject({ code, message: expect.stringContaining(type) });
  await expect(failed).rejects.toMatchObject({ message: expect.not.stringContaining('arn:aws:iam') });
  expect(vi.mocked(console.error).mock.calls.join()).toContain('arn:aws:iam');
});

test('KMS that cannot be reached is unavailable; a call that is given up is deadline_exceeded', async () => {
  const nowhere = 'http://127.0.0.1:9';
  const { encrypt } = service({ endpoints: [nowhere] });
  const url = `awskms://${alias}?endpoint=${nowhere}`;
  await expect(encrypt({ payload: 'x', url })).rejects.toMatchObject({ code: 'unavailable' });
  const impatient = call(awsKms({ keys: [alias], endpoints: [server.url] }), {
    env: { AWS_REGION: region },
    timeoutMs: 0,
  });
  await new Promise((resolve) => setTimeout(resolve, 5));
  await expect(impatient.encrypt({ payload: 'x', url: urlOf(alias) })).rejects.toMatchObject({
    code: 'deadline_exceeded',
  });
});

test('a listed role is assumed, once; a listed profile signs', async () => {
  const assumed: string[] = [];
  const sts = createServer(async (request, response) => {
    const body = new URLSearchParams(await text(request));
    assumed.push(`${body.get('Action')} ${body.get('RoleArn')}`);
    const expiration = new Date(Date.now() + 3_600_000).toISOString();
    response.writeHead(200, { 'content-type': 'text/xml' });
    response.end(
      '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>' +
        '<AccessKeyId>ofrole</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>' +
        `<Expiration>${expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
    );
  });
  await new Promise<void>((resolve) => sts.listen(0, '127.0.0.1', resolve));
  const folder = mkdtempSync(join(tmpdir(), 'kms-profile-'));
  try {
    vi.stubEnv('AWS_ENDPOINT_URL_STS', `http://127.0.0.1:${(sts.address() as AddressInfo).port}`);
    const role = 'arn:aws:iam::111122223333:role/kms';
    const { encrypt, decrypt } = service({ roles: [role] });
    const url = urlOf(alias, `&role=${role}`);
    expect(await decrypt({ payload: await encrypt({ payload: 'x', url }), url })).toBe('x');
    expect(assumed).toEqual([`AssumeRole ${role}`]);
    expect(server.requests.at(-1)?.accessKeyId).toBe('ofrole');

    writeFileSync(
      join(folder, 'credentials'),
      '[sftpgo]\naws_access_key_id = ofprofile\naws_secret_access_key = s\n',
    );
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'));
    await service({ profiles: ['sftpgo'] }).encrypt({ payload: 'x', url: urlOf(alias, '&profile=sftpgo') });
    expect(server.requests.at(-1)?.accessKeyId).toBe('ofprofile');
  } finally {
    for (const name of ['AWS_ENDPOINT_URL_STS', 'AWS_SHARED_CREDENTIALS_FILE']) vi.stubEnv(name, undefined);
    rmSync(folder, { recursive: true });
    sts.closeAllConnections();
    sts.close();
  }
});

test.each<[string, object]>([
  ['no keys', {}],
  ['an empty list', { keys: [] }],
  ['one key that is no list', { keys: 'alias/sftpgo' }],
  ['an empty key', { keys: [''] }],
  ['a URL for a key', { keys: ['awskms://alias/sftpgo'] }],
  ['an ARN of something else', { keys: ['arn:aws:s3:::bucket'] }],
  ['a wildcard', { keys: ['*'] }],
  ['an option that is misspelt', { keys: ['alias/sftpgo'], contextkeys: [] }],
  ['a number among the regions', { keys: ['alias/sftpgo'], regions: [1] }],
])('awsKms refuses %s', (_, options) => {
  expect(() => awsKms(options as AwsKmsOptions)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});
