import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { lockedFunction, recordingLog } from '../../../test/support/invoke.ts';
import { newKey } from '../../../test/support/keys.ts';
import { openKnownVersions } from '../known-versions.ts';
import { awsConfig } from './config.ts';
import { openLambda } from './index.ts';
import { type AwsSettings, loadAwsSettings } from './settings.ts';

const arn = 'arn:aws:lambda:eu-central-1:123456789012:function:office';
const digest = 'ab'.repeat(32);
const locked = {
  ...lockedFunction(arn, newKey()),
  target: 'lambda' as const,
  accepts: [{ version: '7', files: { 'office.lambda.zip': digest }, config: {}, inputs: {} }],
};
const message = {
  url: 'https://office.7.lambda.invalid/proto.IPFilter/CheckIP',
  headers: [],
  body: Buffer.from('{}'),
};
const good = { statusCode: 200, headers: {}, body: 'e30=', isBase64Encoded: true };

/** What stands in for AWS: what it was asked, and what it does. */
const asked: { path: string; key: string | undefined; region: string | undefined }[] = [];
let react: ((outgoing: ServerResponse, incoming: IncomingMessage) => void) | undefined;
const server = createServer(async (incoming, outgoing) => {
  for await (const _ of incoming);
  const [, key, region] = /Credential=(\w+)\/\d+\/([\w-]+)/.exec(incoming.headers.authorization ?? '') ?? [];
  asked.push({ path: incoming.url ?? '', key, region });
  if (react !== undefined) react(outgoing, incoming);
  else if (incoming.url?.includes('/configuration')) outgoing.end(JSON.stringify(configuration));
  else outgoing.writeHead(200, { 'x-amz-executed-version': '7' }).end(JSON.stringify(good));
});
const configuration = { Version: '7', CodeSha256: Buffer.from(digest, 'hex').toString('base64') };
let folder: string;
let endpoint: string;
let settings: AwsSettings;
const opened: ReturnType<typeof openLambda>[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lambda-target-'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentialsFile = join(folder, 'credentials');
  await writeFile(
    credentialsFile,
    '[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = x\n[other]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = y\n',
    { mode: 0o600 },
  );
  settings = { endpoint, credentialsFile };
});
afterEach(async () => {
  vi.restoreAllMocks();
  react = undefined;
  asked.length = 0;
  await Promise.all(opened.splice(0).map(({ target }) => target.close()));
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

function open(aws: AwsSettings = settings) {
  const log = recordingLog();
  const watching = { known: openKnownVersions(undefined, log), log, report() {} };
  const lambda = openLambda('office@live', locked, { aws, probe: async () => ({}), ...watching });
  opened.push(lambda);
  return lambda;
}
const soon = () => AbortSignal.timeout(5000);

test('the address of a version is made of the function and the version', () => {
  expect(open().target.origin('7')).toBe('https://office.7.lambda.invalid');
  expect(asked).toEqual([]);
});

test('a call goes to the pinned version by its number, in the region of the ARN, and says what ran', async () => {
  const { target, verifier } = open();
  const pin = await verifier.pin(soon());
  expect(await target.send(message, pin, soon())).toMatchObject({ status: 200, executed: '7' });
  const path = `/2015-03-31/functions/${encodeURIComponent(arn)}`;
  const common = { key: 'AKIADEFAULT', region: 'eu-central-1' };
  expect(asked).toEqual([
    { path: `${path}/configuration?Qualifier=7`, ...common },
    { path: `${path}/invocations?Qualifier=7`, ...common },
  ]);
});

test('nothing is tried again: a function may run twice only where the table says so', async () => {
  react = (outgoing) => void outgoing.writeHead(503).end('{}');
  await expect(open().target.send(message, '7', soon())).rejects.toMatchObject({ notExecuted: false });
  expect(asked).toHaveLength(1);
});

test('the end of a connection that had lain idle is known as that', async () => {
  const { target } = open();
  await target.send(message, '7', soon());
  react = (outgoing) => void outgoing.destroy();
  vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 1000);
  const ended = { code: 'UNREACHABLE', notExecuted: false };
  await expect(target.send(message, '7', soon())).rejects.toMatchObject({ ...ended, idleEnd: true });
  await expect(target.send(message, '7', soon())).rejects.toMatchObject({ ...ended, idleEnd: false });
});

test('a profile of the file, and no other, signs', async () => {
  await open({ ...settings, profile: 'other' }).target.send(message, '7', soon());
  expect(asked.map(({ key }) => key)).toEqual(['AKIAOTHER']);
});

test('a role is assumed with those credentials, in its region, and its own sign the call', async () => {
  const expiration = new Date(Date.now() + 3_600_000).toISOString();
  react = (outgoing, { url }) => {
    if (url?.startsWith('/2015')) {
      outgoing.writeHead(200, { 'x-amz-executed-version': '7' }).end(JSON.stringify(good));
      return;
    }
    outgoing.writeHead(200, { 'content-type': 'text/xml' });
    outgoing.end(
      `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>z</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
    );
  };
  const role = 'arn:aws:iam::123456789012:role/sftpgo';
  await open({ ...settings, role, region: 'us-east-1', stsEndpoint: endpoint }).target.send(
    message,
    '7',
    soon(),
  );
  expect(asked.map(({ key, region }) => [key, region])).toEqual([
    ['AKIADEFAULT', 'us-east-1'],
    ['ASIAROLE', 'eu-central-1'],
  ]);
});

test('an endpoint that shows another version than it was asked for is not believed', async () => {
  react = (outgoing) => void outgoing.end(JSON.stringify({ ...configuration, Version: '$LATEST' }));
  await expect(open().verifier.pin(soon())).rejects.toMatchObject({ code: 'DRIFT' });
});

test.each([
  [403, 'AccessDeniedException', 'AWS forbids to look at the function'],
  [429, 'TooManyRequestsException', 'AWS throttles the Lambda API'],
  [403, 'UnrecognizedClientException', 'AWS forbids to look at the function'],
  [429, 'SomethingNew', 'AWS throttles the Lambda API'],
  [500, 'ServiceException', 'the Lambda API cannot be reached'],
])('control plane %s %s: %s', async (status, type, text) => {
  react = (outgoing) => void outgoing.writeHead(status, { 'x-amzn-errortype': type }).end('{}');
  await expect(open().verifier.pin(soon())).rejects.toMatchObject({
    code: 'UNREACHABLE',
    notExecuted: true,
    happened: expect.stringContaining(text),
  });
});

test('variables that AWS does not show are no variables that are not there', async () => {
  const Environment = { Error: { ErrorCode: 'AccessDeniedException', Message: 'no kms:Decrypt' } };
  react = (outgoing) => void outgoing.end(JSON.stringify({ ...configuration, Environment }));
  await expect(open().verifier.pin(soon())).rejects.toMatchObject({
    problem: 'forbidden',
    happened: expect.stringContaining('AWS forbids to look at the function (Environment: AccessDenied'),
  });
});

test('no answer within the deadline is DEADLINE', async () => {
  react = () => undefined;
  await expect(open().target.send(message, '7', AbortSignal.timeout(50))).rejects.toMatchObject({
    code: 'DEADLINE',
  });
});

test('FunctionError is no answer, whatever its payload looks like', async () => {
  react = (outgoing) =>
    void outgoing
      .writeHead(200, { 'x-amz-executed-version': '7', 'x-amz-function-error': 'Handled' })
      .end(JSON.stringify(good));
  await expect(open().target.send(message, '7', soon())).rejects.toMatchObject({ code: 'UNREACHABLE' });
});

test.each([
  ['http to a host', { endpoint: 'http://lambda.example.com' }],
  ['no address', { endpoint: 'lambda' }],
  ['a user as role', { role: 'arn:aws:iam::123456789012:user/a' }],
  ['a zone as region', { region: 'eu-central-1a' }],
  ['a watch that floods AWS', { watch: '999ms' }],
  ['a watch that comes too late', { watch: '16m' }],
])('configuration with %s is refused', (_, config) => {
  expect(awsConfig.safeParse(config).success).toBe(false);
});

test('a credentials file that others can read, or that is missing, is refused', async () => {
  const at = (path: string) => join(folder, path);
  await writeFile(at('open'), '[default]\n', { mode: 0o644 });
  await expect(loadAwsSettings({ credentialsFile: 'open' }, at)).rejects.toMatchObject({
    code: 'KEY_FILE_EXPOSED',
  });
  await expect(loadAwsSettings({ credentialsFile: 'missing' }, at)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  });
  const { settings: loaded, stamps } = await loadAwsSettings({ credentialsFile: 'credentials' }, at);
  expect([loaded.credentialsFile, stamps]).toEqual([
    at('credentials'),
    [expect.objectContaining({ path: at('credentials') })],
  ]);
  expect(await loadAwsSettings(undefined, at)).toEqual({ settings: {}, stamps: [] });
});
