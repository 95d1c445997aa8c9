import * as lambdaSdk from '@aws-sdk/client-lambda';
import * as ssmSdk from '@aws-sdk/client-ssm';
import { expect, test } from 'vitest';
import { lambdaConfig } from '../../../adapter/targets/lambda/configuration.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import { newKey, publicOf } from '../../../test/support/keys.ts';
import type { DeployFunction } from '../cloud.ts';
import { aliasTraffic, moveAlias } from './alias.ts';
import type { AwsClients } from './clients.ts';
import { awsFailure, oslsFailure } from './failure.ts';
import { ensureKey, findKey, keysOfVersion } from './key.ts';
import { checkReadBack, checkVersion, ensureVersion } from './versions.ts';

type Answers = Record<string, (input: Record<string, unknown>) => unknown>;

/** Clients whose AWS answers by the name of the command; an Error is thrown. */
function awsThat(answers: Answers) {
  const asked: [string, Record<string, unknown>][] = [];
  const middleware =
    (next: unknown, context: { commandName?: string }) => async (args: { input: object }) => {
      void next;
      const name = (context.commandName ?? '').replace(/Command$/, '');
      asked.push([name, args.input as Record<string, unknown>]);
      const answer = answers[name]?.(args.input as Record<string, unknown>);
      if (answer instanceof Error) throw answer;
      return { output: { $metadata: {}, ...(answer as object) }, response: {} };
    };
  const settings = { region: 'eu-central-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } };
  const lambda = new lambdaSdk.LambdaClient(settings);
  const ssm = new ssmSdk.SSMClient(settings);
  for (const client of [lambda, ssm]) client.middlewareStack.add(middleware as never, { step: 'initialize' });
  const aws: AwsClients = {
    region: 'eu-central-1',
    lambda,
    ssm,
    lambdaSdk,
    ssmSdk,
    account: async () => '123456789012',
  };
  return { aws, asked, names: () => asked.map(([name]) => name) };
}

const named = (name: string) => Object.assign(new Error(name), { name });
const key = newKey();
const place = '/sftpgo/live/office';
const lockedWith = (...keys: object[]) =>
  ({
    keys,
    accepts: [{ version: '1', files: {}, config: { 'environment.PLUGIN_KEY_PARAMETER': place }, inputs: {} }],
  }) as unknown as LockedFunction;
const locked = lockedWith(publicOf(key));
const fn = (entry: DeployFunction['locked']) => ({ id: 'office@live', locked: entry }) as DeployFunction;
const parameter = (value: unknown, Type = 'SecureString') => ({
  Parameter: { Type, Value: typeof value === 'string' ? value : JSON.stringify(value) },
});
const quiet = () => undefined;

test('a new key goes into a SecureString, is never written over another, and only its public part comes back', async () => {
  const { aws, asked } = awsThat({
    GetParameter: () => named('ParameterNotFound'),
    PutParameter: () => ({}),
  });
  const lines: string[] = [];
  const [made] = await ensureKey(aws, fn(undefined), place, (line) => void lines.push(line));
  const [, put] = asked[1] ?? [];
  expect(put).toMatchObject({ Name: place, Type: 'SecureString', Overwrite: false });
  const { d, ...open } = JSON.parse(String(put?.['Value']));
  expect(made).toEqual(open);
  expect(lines.join()).not.toContain(d);
});

test('two deployers at once: the second takes the key of the first', async () => {
  let reads = 0;
  const { aws } = awsThat({
    GetParameter: () => {
      reads += 1;
      return reads === 1 ? named('ParameterNotFound') : parameter(key);
    },
    PutParameter: () => named('ParameterAlreadyExists'),
  });
  expect(await ensureKey(aws, fn(undefined), place, quiet)).toEqual([publicOf(key)]);
});

test('a key that is there is derived from; one that may not be read is taken from the lock', async () => {
  const there = awsThat({ GetParameter: () => parameter(key) });
  expect(await ensureKey(there.aws, fn(locked), place, quiet)).toEqual([publicOf(key)]);
  const hidden = awsThat({ GetParameter: () => named('AccessDeniedException') });
  expect(await ensureKey(hidden.aws, fn(locked), place, quiet)).toEqual([publicOf(key)]);
  await expect(ensureKey(hidden.aws, fn(undefined), place, quiet)).rejects.toMatchObject({
    code: 'UNREACHABLE',
  });
  expect([there.names(), hidden.names()]).toEqual([['GetParameter'], ['GetParameter', 'GetParameter']]);
});

test.each([
  ['another key than the lock has', parameter(newKey()), 'DRIFT'],
  ['a parameter that is not encrypted', parameter(key, 'String'), 'KEY_FILE_EXPOSED'],
  ['something that is no key', parameter('a secret text'), 'KEY_FILE_INVALID'],
])('%s is refused, and its text stays out of the message', async (_, found, code) => {
  const { aws, names } = awsThat({ GetParameter: () => found });
  const error = await ensureKey(aws, fn(locked), place, quiet).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code });
  expect(String(error)).not.toMatch(/a secret text|"d"/);
  expect(names()).toEqual(['GetParameter']);
});

test('a parameter that is not encrypted is deleted last: until the host has another lock, what it calls reads it', async () => {
  const { aws } = awsThat({ GetParameter: () => parameter(key, 'String') });
  await expect(ensureKey(aws, fn(locked), place, quiet)).rejects.toMatchObject({
    remedy: expect.stringMatching(
      /Name another PLUGIN_KEY_PARAMETER .*deploy again.*lock to the host.*delete the old parameter last/,
    ),
  });
});

test('a key that is gone while the lock has it: refused before another one takes its place', async () => {
  const { aws, names } = awsThat({ GetParameter: () => named('ParameterNotFound') });
  for (const ask of [findKey, ensureKey]) {
    await expect(ask(aws, fn(locked), place, quiet)).rejects.toMatchObject({
      code: 'DRIFT',
      happened: expect.stringContaining(`${place} is not there`),
      remedy: expect.stringContaining('`lock remove office@live`'),
    });
  }
  expect(names()).toEqual(['GetParameter', 'GetParameter']);
});

test.each([
  ['gone', () => named('ParameterNotFound')],
  ['another one', () => parameter(newKey())],
])(
  'a key that is %s is replaced by one in another parameter, also after lock remove: the same version would go on with the key that it has',
  async (_, found) => {
    const { aws } = awsThat({ GetParameter: found });
    await expect(ensureKey(aws, fn(locked), place, quiet)).rejects.toMatchObject({
      remedy: expect.stringMatching(
        /: name another PLUGIN_KEY_PARAMETER .* deploy again\. .*run `lock remove office@live` before: /,
      ),
    });
  },
);

test('of a version whose settings the lock does not have, the key may be anywhere', async () => {
  const { aws } = awsThat({ GetParameter: () => named('ParameterNotFound') });
  const bare = { ...locked, accepts: [{ version: '1', files: {}, config: {}, inputs: {} }] };
  await expect(ensureKey(aws, fn(bare), '/other', quiet)).rejects.toMatchObject({ code: 'DRIFT' });
});

test('another parameter than the versions in the lock have: a second key, beside theirs', async () => {
  const made = newKey();
  const { aws } = awsThat({ GetParameter: () => parameter(made) });
  expect(await ensureKey(aws, fn(locked), `${place}-2`, quiet)).toEqual([publicOf(key), publicOf(made)]);
  const none = awsThat({ GetParameter: () => named('ParameterNotFound'), PutParameter: () => ({}) });
  const keys = await ensureKey(none.aws, fn(locked), `${place}-2`, quiet);
  expect([keys.length, keys[0], none.asked[1]?.[1]['Name']]).toEqual([2, publicOf(key), `${place}-2`]);
  // nobody knows its public part yet
  const hidden = awsThat({ GetParameter: () => named('AccessDeniedException') });
  await expect(ensureKey(hidden.aws, fn(locked), `${place}-2`, quiet)).rejects.toMatchObject({
    code: 'UNREACHABLE',
  });
});

test('a version signs with the key in its parameter; one that cannot be read may be any of the lock', async () => {
  const other = newKey();
  const both = lockedWith(publicOf(other), publicOf(key));
  const [version] = both.accepts;
  if (version === undefined) throw new Error('there is no version');
  const of = async (answer: unknown, entry = both, accepted = version) => {
    const { aws, names } = awsThat({ GetParameter: () => answer });
    return [await keysOfVersion(aws, 'office@live', entry, accepted, quiet), names().length];
  };
  expect(await of(parameter(key))).toEqual([[publicOf(key)], 1]);
  expect(await of(parameter(other))).toEqual([[publicOf(other)], 1]);
  expect(await of(parameter(key), locked)).toEqual([locked.keys, 0]);
  expect(await of(named('AccessDeniedException'))).toEqual([both.keys, 1]);
  expect(await of(named('ParameterNotFound'))).toEqual([both.keys, 1]);
  expect(await of(parameter(key), both, { ...version, config: {} })).toEqual([both.keys, 0]);
  await expect(of(parameter(newKey()))).rejects.toMatchObject({ code: 'DRIFT' });
  await expect(of(named('ThrottlingException'))).rejects.toMatchObject({ code: 'UNREACHABLE' });
});

const codeSha256 = Buffer.from('ab'.repeat(32), 'hex').toString('base64');
const plan = {
  functionName: 'net-live-office',
  codeSha256,
  keyParameter: place,
  variables: ['PLUGIN_FUNCTION'],
  config: { handler: 'index.handler', 'environment.PLUGIN_FUNCTION': 'office@live' },
};
const version = (Version: string, more: lambdaSdk.FunctionConfiguration = {}) => ({
  Version,
  CodeSha256: codeSha256,
  Handler: 'index.handler',
  Timeout: 25,
  Environment: { Variables: { PLUGIN_FUNCTION: 'office@live' } },
  ...more,
});
const functionWith = (latest: object, published: readonly object[]) =>
  awsThat({
    GetFunctionConfiguration: ({ Qualifier }) =>
      Qualifier === '$LATEST'
        ? latest
        : { ...(published.find((v) => Object(v).Version === Qualifier) ?? version('9')) },
    ListVersionsByFunction: () => ({ Versions: [latest, ...published] }),
    PublishVersion: () => ({ Version: '9' }),
  });

test('the newest version with the same code and settings is taken, and none is published', async () => {
  const { aws, names } = functionWith(version('$LATEST'), [
    version('10'),
    version('9', { Timeout: 3 }),
    version('8'),
    version('11', { CodeSha256: 'other' }),
  ]);
  expect((await ensureVersion(aws, plan)).Version).toBe('10');
  expect(names()).not.toContain('PublishVersion');
});

test('where osls was interrupted the version is published, and only of the code that was looked at', async () => {
  const { aws, asked } = functionWith(version('$LATEST', { RevisionId: 'r1' }), [
    version('8', { Timeout: 3 }),
  ]);
  expect((await ensureVersion(aws, plan)).Version).toBe('9');
  expect(asked.find(([name]) => name === 'PublishVersion')?.[1]).toMatchObject({
    CodeSha256: codeSha256,
    RevisionId: 'r1',
  });
});

test('other code than was deployed is not published', async () => {
  const { aws, names } = functionWith(version('$LATEST', { CodeSha256: 'other' }), []);
  await expect(ensureVersion(aws, plan)).rejects.toMatchObject({ code: 'DRIFT' });
  expect(names()).toEqual(['GetFunctionConfiguration']);
});

const accepted = { version: '9', files: { 'office.lambda.zip': 'ab'.repeat(32) }, config: {}, inputs: {} };
test.each<[string, lambdaSdk.FunctionConfiguration, string]>([
  ['other code', { CodeSha256: 'other' }, 'code sha256 = other'],
  ['a layer', { Layers: [{ Arn: 'arn:layer' }] }, 'layers = arn:layer'],
  ['another handler', { Handler: 'other.handler' }, 'handler = other.handler'],
  [
    'another value of a variable',
    { Environment: { Variables: { PLUGIN_FUNCTION: 'team@live' } } },
    'environment.PLUGIN_FUNCTION = team@live',
  ],
  [
    'one more variable',
    { Environment: { Variables: { PLUGIN_FUNCTION: 'office@live', MORE: '1' } } },
    'names of the variables = MORE, PLUGIN_FUNCTION',
  ],
  [
    'NODE_OPTIONS',
    { Environment: { Variables: { PLUGIN_FUNCTION: 'office@live', NODE_OPTIONS: 'x' } } },
    'environment.NODE_OPTIONS = x',
  ],
])('%s in what is read back is drift', (_, change, field) => {
  const found = version('9', change);
  const check = () => checkReadBack('office@live', accepted, found, plan);
  expect(check).toThrow(expect.objectContaining({ code: 'DRIFT', happened: expect.stringContaining(field) }));
});

test('what was built is what is read back', () => {
  checkReadBack('office@live', accepted, version('9'), plan);
  expect(() =>
    checkVersion(
      'office@live',
      { ...accepted, config: { ...lambdaConfig(version('9')), handler: 'x' } },
      version('9'),
    ),
  ).toThrow('handler = index.handler');
});

test('the alias is made, moved, shared, and left alone where it is right', async () => {
  let alias: Record<string, unknown> | undefined;
  const set = (input: Record<string, unknown>) => {
    alias = { ...input, RevisionId: 'r' };
    return alias;
  };
  const { aws, names } = awsThat({
    GetAlias: () => alias ?? named('ResourceNotFoundException'),
    CreateAlias: set,
    UpdateAlias: set,
  });
  const move = async (to: string, percent?: number) =>
    await moveAlias(aws, 'net-live-office', to, { report: quiet, ...(percent ? { percent } : {}) });
  expect(await aliasTraffic(aws, 'net-live-office')).toEqual([]);
  await expect(move('1', 10)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  await move('1');
  await move('2', 10);
  expect(await aliasTraffic(aws, 'net-live-office')).toEqual([
    { version: '1', percent: 90 },
    { version: '2', percent: 10 },
  ]);
  await move('2');
  await move('2');
  expect(await aliasTraffic(aws, 'net-live-office')).toEqual([{ version: '2', percent: 100 }]);
  expect(names().filter((name) => name !== 'GetAlias')).toEqual([
    'CreateAlias',
    'UpdateAlias',
    'UpdateAlias',
  ]);
});

test.each([
  ['AccessDeniedException', /AWS forbids/],
  ['CredentialsProviderError', /AWS forbids/],
  ['ThrottlingException', /AWS throttles/],
  ['TimeoutError', /AWS cannot be reached/],
  ['InvalidParameterValueException', /AWS refused/],
])('%s has its own message', (name, happened) => {
  expect(awsFailure(named(name), 'ssm:GetParameter', 'eu-central-1')).toMatchObject({
    code: 'UNREACHABLE',
    happened: expect.stringMatching(happened),
  });
});

test.each([
  [
    'User: arn:aws:iam::1:user/x is not authorized to perform: cloudformation:CreateChangeSet',
    /^AWS forbids it: /,
  ],
  ['Rate exceeded', /^AWS throttles: /],
  ['getaddrinfo ENOTFOUND cloudformation.xx-none-1.amazonaws.com', /^AWS cannot be reached: /],
  ['CREATE_FAILED: OfficeRole (AWS::IAM::Role)', /^the stack was not deployed: CREATE_FAILED/],
])('what osls says on "%s" is told', (said, happened) => {
  expect(oslsFailure('deploy', `× Stack failed\n\nError:\n${said}\n`)).toMatchObject({
    code: 'UNREACHABLE',
    happened: expect.stringMatching(happened),
  });
});

test('a project without the keys of its callers is told where they are, not to correct its serverless.yml', () => {
  const said = `Error:
Cannot resolve serverless.yml: Variables resolution errored with:
  - Cannot resolve variable at "provider.environment.PLUGIN_CALLERS": Value not found at "env" source
`;
  expect(oslsFailure('package', said)).toMatchObject({
    code: 'CONFIG_INVALID',
    happened: expect.stringContaining('nobody may call the function'),
    remedy: expect.stringContaining('adapter.jwks.json'),
  });
  expect(oslsFailure('package', said.replace('PLUGIN_CALLERS', 'TABLE'))).toMatchObject({
    happened: expect.stringContaining('osls cannot package'),
  });
});
