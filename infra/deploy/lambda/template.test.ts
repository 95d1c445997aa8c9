import { expect, test } from 'vitest';
import { newKey, publicOf } from '../../../test/support/keys.ts';
import { codeSha256Of } from '../../build/function.ts';
import type { DeployFunction } from '../cloud.ts';
import { checkOwnKey } from './own-keys.ts';
import { plannedFunction } from './template.ts';

const sha256 = 'ab'.repeat(32);
const fn: DeployFunction = {
  name: 'office',
  stage: 'live',
  id: 'office@live',
  entry: '/project/office.ts',
  target: 'lambda',
  builtIn: '/project/out',
  manifest: {
    name: 'office',
    type: 'ipfilter',
    handles: ['CheckIP'],
    inputs: {},
    artifacts: [
      {
        file: 'office.lambda.zip',
        runtime: 'lambda',
        sha256,
        buildId: sha256,
        inputs: {},
      },
    ],
  },
  locked: undefined,
};
const callers = JSON.stringify({ keys: [publicOf(newKey())] });

/** What osls packages of one function, with properties and variables changed. */
function packaged(
  properties: Readonly<Record<string, unknown>> = {},
  variables: Readonly<Record<string, unknown>> = {},
  codeSha256 = codeSha256Of(sha256),
) {
  return {
    region: 'eu-central-1',
    stack: 'net-live',
    functions: { office: { name: 'net-live-office' } },
    resources: {
      OtherLambdaFunction: { Type: 'AWS::Lambda::Function', Properties: { FunctionName: 'net-live-other' } },
      OfficeLambdaFunction: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          FunctionName: 'net-live-office',
          Handler: 'index.handler',
          Runtime: 'nodejs24.x',
          Role: { 'Fn::GetAtt': ['OfficeRole', 'Arn'] },
          Environment: {
            Variables: {
              PLUGIN_FUNCTION: 'office@live',
              PLUGIN_KEY_PARAMETER: '/sftpgo/live/office',
              PLUGIN_CALLERS: callers,
              TABLE: { Ref: 'Table' },
              ...variables,
            },
          },
          ...properties,
        },
      },
      OfficeVersion: {
        Type: 'AWS::Lambda::Version',
        Properties: { FunctionName: { Ref: 'OfficeLambdaFunction' }, CodeSha256: codeSha256 },
      },
    },
  };
}

test('what the template says in plain is compared later; what only CloudFormation knows is not', () => {
  const plan = plannedFunction(packaged({ Architectures: ['arm64'] }), fn);
  expect(plan).toMatchObject({
    functionName: 'net-live-office',
    codeSha256: codeSha256Of(sha256),
    keyParameter: '/sftpgo/live/office',
    variables: ['PLUGIN_CALLERS', 'PLUGIN_FUNCTION', 'PLUGIN_KEY_PARAMETER', 'TABLE'],
    config: { architecture: 'arm64', handler: 'index.handler', 'environment.PLUGIN_FUNCTION': 'office@live' },
  });
  expect(Object.keys(plan.config)).not.toContain('role');
  expect(Object.keys(plan.config)).not.toContain('environment.TABLE');
});

const without = (name: string) => ({ [name]: undefined });
test.each<[string, ReturnType<typeof packaged>, RegExp]>([
  ['a layer', packaged({ Layers: ['arn:aws:lambda:eu-central-1:1:layer:x:1'] }), /office\.layers is set/],
  ['a layer by reference', packaged({ Layers: [{ Ref: 'Layer' }] }), /office\.layers is set/],
  ['a file system', packaged({ FileSystemConfigs: [{ Arn: 'x' }] }), /fileSystemConfig is set/],
  ['an image', packaged({ PackageType: 'Image' }), /image is set/],
  ['NODE_OPTIONS', packaged({}, { NODE_OPTIONS: '-r ./x' }), /NODE_OPTIONS is set/],
  ['a wrapper by reference', packaged({}, { AWS_LAMBDA_EXEC_WRAPPER: { Ref: 'W' } }), /EXEC_WRAPPER is set/],
  ['LD_PRELOAD', packaged({}, { LD_PRELOAD: '/tmp/x.so' }), /LD_PRELOAD is set/],
  ['its key in a variable', packaged({}, { PLUGIN_KEY: '{}' }), /PLUGIN_KEY is set/],
  [
    'the name of another function',
    packaged({}, { PLUGIN_FUNCTION: 'team@live' }),
    /PLUGIN_FUNCTION is team@live/,
  ],
  ['no name', packaged({}, without('PLUGIN_FUNCTION')), /PLUGIN_FUNCTION is missing/],
  ['another handler', packaged({ Handler: 'other.handler' }), /handler is other\.handler/],
  ['no parameter', packaged({}, without('PLUGIN_KEY_PARAMETER')), /PLUGIN_KEY_PARAMETER is no name/],
  ['an @ in it', packaged({}, { PLUGIN_KEY_PARAMETER: '/a@live' }), /PLUGIN_KEY_PARAMETER is no name/],
  ['no callers', packaged({}, { PLUGIN_CALLERS: '{"keys":[]}' }), /PLUGIN_CALLERS is no set/],
  [
    'a private key among the callers',
    packaged({}, { PLUGIN_CALLERS: JSON.stringify({ keys: [newKey()] }) }),
    /PLUGIN_CALLERS is no set/,
  ],
  ['another zip', packaged({}, {}, codeSha256Of('cd'.repeat(32))), /package\.artifact is another file/],
])('%s is refused before anything is uploaded', (_, template, happened) => {
  expect(() => plannedFunction(template, fn)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', happened: expect.stringMatching(happened) }),
  );
});

test('a function that serverless.yml does not have, and versions that osls does not publish', () => {
  expect(() => plannedFunction({ ...packaged(), functions: {} }, fn)).toThrow('functions.office is missing');
  const { OfficeVersion: _, ...resources } = packaged().resources;
  expect(() => plannedFunction({ ...packaged(), resources }, fn)).toThrow('versionFunctions is off');
});

test('two functions with one key are refused before anything is deployed, also when only one of them is asked for', () => {
  const service = packaged();
  const withOther = (PLUGIN_KEY_PARAMETER: string) => ({
    ...service,
    resources: {
      ...service.resources,
      OtherLambdaFunction: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          FunctionName: 'net-live-other',
          Environment: { Variables: { PLUGIN_KEY_PARAMETER } },
        },
      },
    },
  });
  const plan = plannedFunction(service, fn);
  expect(() => checkOwnKey(withOther('/sftpgo/live/other'), plan)).not.toThrow();
  expect(() => checkOwnKey(withOther('/sftpgo/live/office'), plan)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      happened: expect.stringMatching(/net-live-office and net-live-other .*\/sftpgo\/live\/office/),
    }),
  );
});
