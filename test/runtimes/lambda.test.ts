import { execFile } from 'node:child_process';
import { chown, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { Connection } from '../../adapter/invoke/connection.ts';
import { createInvoke } from '../../adapter/invoke/index.ts';
import { probe } from '../../adapter/invoke/probe.ts';
import { Role } from '../../adapter/role/role.ts';
import { AnswerError, type Reply } from '../../adapter/shapes.ts';
import { openKnownVersions } from '../../adapter/targets/known-versions.ts';
import { lambdaConfig } from '../../adapter/targets/lambda/configuration.ts';
import { openLambda } from '../../adapter/targets/lambda/index.ts';
import type { AwsSettings } from '../../adapter/targets/lambda/settings.ts';
import { buildFunction } from '../../infra/build/function.ts';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import type { LockedFunction } from '../../proto/lock/schema.ts';
import { callOf, connectionTo, recordingLog } from '../support/invoke.ts';
import { exampleEntry } from './deployment.ts';
import { type LambdaDeployment, prepareLambdaDeployment } from './lambda-deployment.ts';
import { accessDenied, type Fault, type HostCall, type LambdaHost, throttled } from './lambda-host.ts';

const root = join(import.meta.dirname, '../..');
let deployment: LambdaDeployment;
let host: LambdaHost;
const opened: (() => Promise<void>)[] = [];

beforeAll(async () => {
  deployment = await prepareLambdaDeployment([
    { type: 'ipfilter', entry: exampleEntry, name: 'office', section: 'cache: { entries: 0 }', timeoutS: 5 },
  ]);
  host = deployment.host;
});
afterEach(async () => {
  host.fault = undefined;
  vi.restoreAllMocks();
  await Promise.all(opened.splice(0).map((close) => close()));
});
afterAll(async () => await deployment.close());

/** A connection as a role has it, freshly started. */
function connect(changed: Partial<LockedFunction> = {}, aws: AwsSettings = {}): Connection {
  const { locked, functionName, key } = deployment.deployed('office');
  const settings = {
    endpoint: host.url,
    credentialsFile: join(deployment.folder, 'aws-credentials'),
    profile: 'sftpgo',
    ...aws,
  };
  const log = recordingLog();
  const lambda = openLambda(
    functionName,
    { ...locked, ...changed },
    {
      aws: settings,
      probe: (signal) => probe(connection, 'proto.IPFilter', signal),
      known: openKnownVersions(undefined, log),
      log,
      report() {},
    },
  );
  opened.push(() => lambda.target.close());
  const keys = { adapterKey: deployment.adapterKey, functionKey: key };
  const connection = { ...connectionTo('http://127.0.0.1:1', keys), ...lambda, require: 'platform' as const };
  return connection;
}

const soon = () => AbortSignal.timeout(5000);

const check = (connection: Connection, ip = '203.0.113.7', timeoutMs = 10_000): Promise<Reply> => {
  const signal = AbortSignal.timeout(timeoutMs);
  return createInvoke(connection)(
    callOf(IPFilter.method.checkIP, { ip, protocol: 'SSH' }, { timeoutMs, signal }),
  );
};

/** What a call is refused with. */
async function refusal(call: Promise<unknown>): Promise<object> {
  const error = await call.then(
    () => new Error('answered'),
    (thrown: unknown) => thrown,
  );
  const { code, message, notExecuted } = Object(error);
  return { code, message, ...(notExecuted === undefined ? {} : { notExecuted }) };
}

const only =
  (operation: HostCall['operation'], fault: Fault) =>
  (call: HostCall): Fault | undefined =>
    call.operation === operation ? fault : undefined;

test("the deployable zip answers under AWS's runtime client, and AWS says which version ran", async () => {
  expect(host.runtime).toBe(process.env['CI'] === 'true' ? 'aws-lambda-ric' : host.runtime);
  const before = host.calls.length;
  const connection = connect();
  const { facts } = await check(connection);
  expect(facts).toMatchObject({
    evidence: 'platform',
    version: '1',
    keyid: deployment.deployed('office').keyid,
  });
  const denied = await check(connection, '192.0.2.1').catch((error: unknown) => error);
  expect(denied).toBeInstanceOf(AnswerError);
  expect(denied).toMatchObject({ code: 'DENIED', facts: { evidence: 'platform' } });
  expect(
    host.calls.slice(before).map(({ operation, qualifier = '' }) => `${operation} ${qualifier}`),
  ).toEqual(['GetFunctionConfiguration 1', 'Invoke 1', 'GetParameter ', 'Invoke 1']);
});

test('twenty calls at once: one look at the code, an environment for each, every answer its own', async () => {
  const before = host.calls.length;
  const connection = connect();
  const ips = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? '203.0.113.7' : '192.0.2.1'));
  const codes = await Promise.all(ips.map((ip) => refusal(check(connection, ip))));
  expect(codes.map((each) => Object(each).code ?? 'answered')).toEqual(
    ips.map((ip) => (ip === '192.0.2.1' ? 'DENIED' : 'answered')),
  );
  const looks = host.calls.slice(before).filter(({ operation }) => operation === 'GetFunctionConfiguration');
  expect(looks).toHaveLength(1);
});

test('other code under the locked version is found before anything is sent', async () => {
  const { locked } = deployment.deployed('office');
  const other = [{ ...locked.accepts[0], version: '1', files: { 'office.lambda.zip': 'ab'.repeat(32) } }];
  const before = host.calls.length;
  const connection = connect({ accepts: other as LockedFunction['accepts'] });
  expect(await refusal(check(connection))).toMatchObject({
    code: 'DRIFT',
    message: expect.stringContaining(
      'expected CodeSha256 q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s= (the lock)',
    ),
  });
  expect(host.calls.slice(before).map(({ operation }) => operation)).toEqual(['GetFunctionConfiguration']);
  const findings = await connection.verifier.audit(AbortSignal.timeout(5000));
  expect(findings.filter(({ ok }) => !ok)).toEqual([expect.objectContaining({ field: 'code sha256' })]);
});

test('verify names every field with its evidence; a lock without configuration says so', async () => {
  const { locked } = deployment.deployed('office');
  const [accepted] = locked.accepts;
  if (accepted === undefined) throw new Error('nothing locked');
  const client = new LambdaClient({ region: host.region, endpoint: host.url, credentials: host.credentials });
  const aws = await client.send(
    new GetFunctionConfigurationCommand({ FunctionName: 'office', Qualifier: '1' }),
  );
  const config = lambdaConfig(aws);
  const findings = await connect({ accepts: [{ ...accepted, config }] }).verifier.audit(soon());
  const about = { function: 'office@live', target: 'lambda', version: '1', evidence: 'platform', ok: true };
  const digest = Buffer.from(Object.values(accepted.files)[0] ?? '', 'hex').toString('base64');
  expect(findings).toEqual([
    { ...about, field: 'code sha256', expected: digest, found: digest },
    ...Object.entries(config).map(([field, value]) => ({ ...about, field, expected: value, found: value })),
    { ...about, field: 'executed version', expected: '1', found: '1' },
  ]);
  expect(config['environment.PLUGIN_CALLERS']).toMatch(/^sha256:/);
  const plain = await connect().verifier.audit(soon());
  expect(plain.map(({ field }) => field)).toEqual([
    'code sha256',
    'packageType',
    'layers',
    'fileSystems',
    'image',
    'config',
    'executed version',
  ]);
});

test('the last version of the lock is the one that is called', async () => {
  const { locked, zip, env } = deployment.deployed('office');
  const version = host.publish('office', { zip: await readFile(zip), env });
  const [first] = locked.accepts;
  if (first === undefined) throw new Error('nothing locked');
  const { facts } = await check(connect({ accepts: [first, { ...first, version }] }));
  expect(facts?.version).toBe(version);
  host.alias('office', 'live', version);
  expect((await check(connect({ accepts: [{ ...first, version }, first] }))).facts?.version).toBe('1');
});

const unreached = { code: 'UNREACHABLE', notExecuted: true };
const unknown = { code: 'UNREACHABLE', notExecuted: false };
const invoke = (fault: Fault) => only('Invoke', fault);
const aws = (status: number, type: string): Fault => ({ status, type, message: 'no', fault: 'Service' });
const failed = (errorType: string): Fault => ({
  payload: JSON.stringify({ errorType, errorMessage: 'a secret of the author' }),
  functionError: 'Unhandled',
});

test.each<[string, Fault, object, string]>([
  ['another version ran', { executedVersion: '2' }, { code: 'DRIFT' }, 'AWS ran version 2 of office@live'],
  ['$LATEST ran', { executedVersion: '$LATEST' }, { code: 'DRIFT' }, 'AWS ran version $LATEST'],
  ['throttled', throttled, unreached, 'ReservedFunctionConcurrentInvocationLimitExceeded'],
  ['forbidden', accessDenied('lambda:InvokeFunction'), unreached, 'Allow lambda:InvokeFunction'],
  ['no such version', aws(404, 'ResourceNotFoundException'), { code: 'DRIFT' }, 'AWS has no version 1'],
  ['keys expired', aws(403, 'ExpiredTokenException'), unreached, 'Check the credentials'],
  ['KMS forbids', aws(502, 'KMSAccessDeniedException'), unreached, 'Enable the KMS key'],
  ['no interface in the VPC', aws(502, 'ENILimitReachedException'), unreached, 'Check the subnets'],
  ['no file system', aws(408, 'EFSMountTimeoutException'), unreached, 'mount no file system'],
  ['a broken zip', aws(502, 'InvalidZipFileException'), unreached, 'Deploy the zip'],
  ['AWS failed', aws(500, 'ServiceException'), unknown, 'ServiceException'],
  ['not accepted', aws(400, 'InvalidRequestContentException'), { code: 'INTERNAL' }, 'did not accept'],
  ['too large for AWS', aws(413, 'RequestTooLargeException'), { code: 'OVERLOADED' }, '6291456'],
  ['the connection broke', 'reset', unknown, 'could not be invoked'],
  ['time-out of Lambda', failed('Sandbox.Timedout'), { code: 'DEADLINE' }, "Raise the function's timeout"],
  ['out of memory', failed('Runtime.OutOfMemory'), unknown, "Raise the function's memory"],
  ['init failed', failed('Runtime.ImportModuleError'), unknown, 'Deploy the zip'],
  ['it threw', failed('TypeError'), unknown, 'Look into the log of the function'],
  ['an error without a type', { payload: '"x"', functionError: 'Handled' }, unknown, 'unknown error'],
  ['HTML', { payload: '<html>' }, { code: 'ANSWER_UNSIGNED' }, 'something other than an answer'],
  ['null', { payload: 'null' }, { code: 'ANSWER_UNSIGNED' }, 'something other than an answer'],
  [
    'base64 that is not canonical',
    { payload: '{"statusCode":200,"headers":{},"body":"e31","isBase64Encoded":true}' },
    { code: 'ANSWER_UNSIGNED' },
    'something other than an answer',
  ],
  [
    'an unsigned answer',
    { payload: '{"statusCode":200,"headers":{},"body":"e30=","isBase64Encoded":true}' },
    { code: 'ANSWER_UNSIGNED' },
    'signature',
  ],
  [
    'a redirect',
    { payload: '{"statusCode":302,"headers":{"location":"https://x"},"body":"","isBase64Encoded":true}' },
    { code: 'ANSWER_UNSIGNED' },
    'signature',
  ],
  ['7 MB', { payload: JSON.stringify('x'.repeat(7_000_000)) }, { code: 'ANSWER_UNSIGNED' }, ''],
])('%s: the call fails with its code and a remedy, and the next one works', async (_, fault, error, text) => {
  const connection = connect();
  host.fault = invoke(fault);
  const found = await refusal(check(connection));
  expect(found).toMatchObject({ ...error, message: expect.stringContaining(text) });
  expect(JSON.stringify(found)).not.toContain('a secret of the author');
  host.fault = undefined;
  expect((await check(connection)).facts?.evidence).toBe('platform');
});

test.each<[string, Fault, string]>([
  ['forbids', accessDenied('lambda:GetFunctionConfiguration'), 'AWS forbids to look at the function'],
  ['throttles', throttled, 'AWS throttles the Lambda API'],
  ['cannot be reached', 'reset', 'the Lambda API cannot be reached'],
])('control plane %s: refused before the first proof, served on after it', async (_, fault, text) => {
  const proved = connect();
  await check(proved);
  host.fault = only('GetFunctionConfiguration', fault);
  const fresh = connect();
  const before = host.calls.length;
  expect(await refusal(check(fresh))).toMatchObject({
    ...unreached,
    message: expect.stringContaining(`${text} `),
  });
  expect(await refusal(check(fresh))).toMatchObject(unreached);
  expect(host.calls.slice(before).map(({ operation }) => operation)).toEqual(['GetFunctionConfiguration']);
  expect((await check(proved)).facts?.evidence).toBe('platform');
  host.fault = undefined;
  await vi.waitFor(async () => expect((await check(fresh)).facts?.evidence).toBe('platform'), 5000);
});

test('a function that is not there, and a version that is not there, are drift', async () => {
  const { locked } = deployment.deployed('office');
  const accepts = [{ ...locked.accepts[0], version: '77' }] as LockedFunction['accepts'];
  expect(await refusal(check(connect({ accepts })))).toMatchObject({ code: 'DRIFT' });
  expect(await refusal(check(connect({ address: host.arnOf('gone') })))).toMatchObject({ code: 'DRIFT' });
});

test('no answer in time is DEADLINE, and the next call works', async () => {
  const connection = connect();
  await check(connection);
  host.fault = invoke('hang');
  expect(await refusal(check(connection, '203.0.113.7', 300))).toMatchObject({ code: 'DEADLINE' });
  host.fault = undefined;
  expect((await check(connection)).facts?.evidence).toBe('platform');
});

test('a control plane that does not answer costs a call its deadline and no more', async () => {
  host.fault = only('GetFunctionConfiguration', 'hang');
  expect(await refusal(check(connect(), '203.0.113.7', 300))).toMatchObject({ code: 'DEADLINE' });
});

test('a request that Lambda does not carry is refused at once, with the limit, and nothing is sent', async () => {
  const connection = connect();
  await check(connection);
  const before = host.calls.length;
  const large = `198.51.100.${'7'.repeat(4_718_592)}`;
  expect(await refusal(check(connection, large))).toMatchObject({
    code: 'OVERLOADED',
    message: expect.stringMatching(/does not fit into an invocation of Lambda .* less than 6291456 bytes/),
  });
  expect(host.calls).toHaveLength(before);
});

test.each<[string, AwsSettings, string]>([
  ['a profile that is missing', { profile: 'nobody' }, 'look at the function (CredentialsProviderError)'],
  ['nobody at the endpoint', { endpoint: 'http://127.0.0.1:1' }, 'cannot be reached (ECONNREFUSED)'],
])('%s: refused with a reason', async (_, settings, text) => {
  const found = await refusal(check(connect({}, settings)));
  expect(found).toMatchObject({ ...unreached, message: expect.stringContaining(text) });
});

test('what the function does itself: exits, loops, throws, fails at init', async () => {
  const { env, locked } = deployment.deployed('office');
  const kit = "import { allow, ipfilter } from 'sftpgo-plugin-serverless/kit';";
  const entry = join(deployment.folder, 'rude.ts');
  await writeFile(
    entry,
    `${kit} export default ipfilter({ async checkIP({ ip }) {
      if (ip === '192.0.2.1') process.exit(3);
      if (ip === '192.0.2.2') for (;;);
      if (ip === '192.0.2.3') throw new Error('a secret of the author');
      return allow(); } });`,
  );
  const outDir = join(deployment.folder, 'rude');
  const built = await buildFunction({ entry, name: 'rude', outDir, targets: ['lambda'] });
  const [artifact] = built.artifacts;
  if (artifact === undefined) throw new Error('nothing built');
  const zip = await readFile(artifact.file);
  const lockVersion = (version: string) => ({
    accepts: [{ version, files: { 'rude.lambda.zip': artifact.sha256 }, config: {}, inputs: {} }],
  });
  const rude = connect({ ...locked, ...lockVersion(host.publish('office', { zip, env, timeoutS: 1 })) });
  expect(await refusal(check(rude, '192.0.2.1'))).toMatchObject({
    ...unknown,
    message: expect.stringContaining('(Runtime.ExitError)'),
  });
  expect(await refusal(check(rude, '192.0.2.2'))).toMatchObject({ code: 'DEADLINE' });
  expect(await refusal(check(rude, '192.0.2.3'))).toMatchObject({ code: 'FUNCTION_ERROR' });
  expect((await check(rude)).facts?.evidence).toBe('platform');
  const keyless = { ...env, PLUGIN_KEY_PARAMETER: '/sftpgo/missing' };
  const broken = connect(lockVersion(host.publish('office', { zip, env: keyless })));
  expect(await refusal(check(broken))).toMatchObject({
    ...unknown,
    message: expect.stringContaining('PLUGIN_KEY'),
  });
  expect(host.output()).toContain('the parameter /sftpgo/missing cannot be read (ParameterNotFound)');
});

test('an answer for one version does not pass for another, whatever AWS says', async () => {
  const connection = connect();
  await check(connection);
  host.fault = invoke({ executedVersion: '1' });
  const { target } = connection;
  const lying = { ...connection, target: { ...target, origin: () => target.origin('2') } };
  expect(await refusal(check(lying))).toMatchObject({
    code: 'UNREACHABLE',
    message: expect.stringContaining('401'),
  });
});

test('a role out of its files calls Lambda, and takes new credentials without a restart', async () => {
  const log = recordingLog();
  const role = new Role({ type: 'ipfilter', configPath: deployment.configPath, log, pollMs: 20 });
  const file = join(deployment.folder, 'aws-credentials');
  const good = await readFile(file, 'utf8');
  const ask = () =>
    refusal(role.handle(callOf(IPFilter.method.checkIP, { ip: '203.0.113.7', protocol: 'SSH' })));
  try {
    await writeFile(file, good.replace(host.credentials.accessKeyId, 'AKIASOMEBODYELSE'));
    role.start();
    expect(await ask()).not.toEqual({});
    await writeFile(file, good);
    await vi.waitFor(async () => expect(await ask()).toMatchObject({ message: 'answered' }), 5000);
    expect(log.lines.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/^serving type=ipfilter function=office@live target=lambda .*evidence=platform/),
    );
  } finally {
    await writeFile(file, good);
    await role.close();
  }
});

test('under an empty environment, and a user whom the system does not know, nothing throws', async () => {
  const isRoot = process.getuid?.() === 0;
  const uid = 54_321;
  if (isRoot) {
    const files = await readdir(deployment.folder, { recursive: true });
    await Promise.all(['.', ...files].map((name) => chown(join(deployment.folder, name), uid, uid)));
  }
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(root, 'adapter/cli/main.ts'), 'verify', '--json', '--config', deployment.configPath],
    { env: { AWS_PROFILE: '', AWS_REGION: '' }, cwd: '/', ...(isRoot ? { uid, gid: uid } : {}) },
  );
  const findings = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(findings.map(({ field, ok }) => [field, ok])).toEqual([
    ['code sha256', true],
    ['packageType', true],
    ['layers', true],
    ['fileSystems', true],
    ['image', true],
    ['config', true],
    ['executed version', true],
  ]);
});

test('the host answers as AWS documents: aliases, $LATEST, errors, signatures', async () => {
  const { arn } = deployment.deployed('office');
  const client = (credentials = host.credentials) =>
    new LambdaClient({ region: host.region, endpoint: host.url, credentials, maxAttempts: 1 });
  const aws = client();
  const latest = await aws.send(new GetFunctionConfigurationCommand({ FunctionName: 'office' }));
  expect([latest.Version, latest.FunctionArn]).toEqual(['$LATEST', arn]);
  const send = (Payload: string, more = {}) =>
    aws.send(new InvokeCommand({ FunctionName: arn, Payload: Buffer.from(Payload), ...more }));
  const answer = await send('{}', { Qualifier: '1', ClientContext: 'e30=' });
  expect([answer.ExecutedVersion, answer.FunctionError]).toEqual(['1', undefined]);
  expect((await send('{}', { FunctionName: `${arn}:1` })).ExecutedVersion).toBe('1');
  await expect(send('{')).rejects.toMatchObject({ name: 'InvalidRequestContentException' });
  await expect(send(JSON.stringify('x'.repeat(6_291_456)))).rejects.toMatchObject({
    name: 'RequestTooLargeException',
  });
  await expect(send('{}', { Qualifier: 'no such' })).rejects.toMatchObject({ name: 'ValidationException' });
  await expect(
    client({ accessKeyId: 'AKIAOTHER', secretAccessKey: 'x' }).send(
      new GetFunctionConfigurationCommand({ FunctionName: 'office' }),
    ),
  ).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
});
