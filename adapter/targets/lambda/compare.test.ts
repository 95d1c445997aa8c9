import { expect, test } from 'vitest';
import { compareVersion, type DeployedVersion } from './compare.ts';
import { lambdaConfig } from './configuration.ts';

const digest = 'ab'.repeat(32);
const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');
const long = 'x'.repeat(65);

/** A version as AWS describes one that `deploy` made. */
const deployed: DeployedVersion = {
  Architectures: ['arm64'],
  CodeSha256: base64(digest),
  ConfigSha256: 'c29tZXRoaW5n',
  Environment: { Variables: { PLUGIN_FUNCTION: 'office@live', PLUGIN_CALLERS: long } },
  Handler: 'index.handler',
  LastModified: '2026-01-01T00:00:00.000+0000',
  PackageType: 'Zip',
  RevisionId: 'e0ad7a7c-0000-4000-8000-000000000000',
  Role: 'arn:aws:iam::123456789012:role/office',
  Runtime: 'nodejs24.x',
  RuntimeVersionConfig: { RuntimeVersionArn: 'arn:aws:lambda:eu-central-1::runtime:1' },
  SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
  VpcConfig: { SubnetIds: ['subnet-2', 'subnet-1'], SecurityGroupIds: ['sg-1'], VpcId: 'vpc-1' },
};
const accepted = {
  version: '7',
  files: { 'office.lambda.zip': digest },
  config: lambdaConfig(deployed),
  inputs: {},
};
const codeOnly = { ...accepted, config: {} };
const refused = (found: Partial<DeployedVersion>, entry: typeof accepted = accepted) =>
  compareVersion(entry, { ...deployed, ...found })
    .filter(({ ok }) => !ok)
    .map((row) => `${row.field}: ${row.found}, not ${row.expected}`);

test('what AWS says of a version, as it stands in a lock', () => {
  expect(lambdaConfig(deployed)).toEqual({
    architecture: 'arm64',
    capacityProvider: 'none',
    configSha256: 'c29tZXRoaW5n',
    durable: 'none',
    'environment.PLUGIN_CALLERS': expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    'environment.PLUGIN_FUNCTION': 'office@live',
    fileSystems: 'none',
    handler: 'index.handler',
    image: 'none',
    layers: 'none',
    packageType: 'Zip',
    role: 'arn:aws:iam::123456789012:role/office',
    runtime: 'nodejs24.x',
    runtimeVersion: 'arn:aws:lambda:eu-central-1::runtime:1',
    snapStart: 'None',
    tenancy: 'none',
    vpc: 'sg-1, subnet-1, subnet-2',
  });
});

test('equal is equal, in any order of the names and of the subnets', () => {
  const reversed = Object.fromEntries(Object.entries(accepted.config).reverse());
  const VpcConfig = { SubnetIds: ['subnet-1', 'subnet-2'], SecurityGroupIds: ['sg-1'] };
  expect(refused({ VpcConfig }, { ...accepted, config: reversed })).toEqual([]);
});

const env = (changed: Record<string, string>) => ({
  Environment: { Variables: { ...deployed.Environment?.Variables, ...changed } },
});
const layer = 'arn:aws:lambda:eu-central-1:123456789012:layer:evil:1';
const disk = { Arn: 'arn:aws:elasticfilesystem:eu-central-1:1:access-point/a', LocalMountPath: '/mnt/a' };

test.each<[string, Partial<DeployedVersion>, string]>([
  ['code', { CodeSha256: base64('cd'.repeat(32)) }, 'code sha256: '],
  ['no code', { CodeSha256: undefined }, 'code sha256: not set'],
  ['package type', { PackageType: 'Image' }, 'packageType: Image, not Zip'],
  ['handler', { Handler: 'other.handler' }, 'handler: other.handler, not index.handler'],
  ['runtime', { Runtime: 'nodejs22.x' }, 'runtime: nodejs22.x, not nodejs24.x'],
  ['architecture', { Architectures: ['x86_64'] }, 'architecture: x86_64, not arm64'],
  ['role', { Role: 'arn:aws:iam::123456789012:role/admin' }, 'role: arn:aws:iam::123456789012:role/admin'],
  ['layers', { Layers: [{ Arn: layer }] }, `layers: ${layer}, not none`],
  ['file systems', { FileSystemConfigs: [disk] }, `fileSystems: ${disk.Arn} at /mnt/a, not none`],
  ['a variable', env({ PLUGIN_FUNCTION: 'x@live' }), 'environment.PLUGIN_FUNCTION: x@live, not office@live'],
  ['a long variable', env({ PLUGIN_CALLERS: `${long}y` }), 'environment.PLUGIN_CALLERS: sha256:'],
  ['one more variable', env({ MORE: 'not set' }), 'environment.MORE: not set, not not set'],
  ['no variables', { Environment: undefined }, 'environment.PLUGIN_CALLERS: not set, not sha256:'],
  ['ConfigSha256', { ConfigSha256: 'b3RoZXI=' }, 'configSha256: b3RoZXI=, not c29tZXRoaW5n'],
  ['ConfigSha256 gone', { ConfigSha256: undefined }, 'configSha256: not set, not c29tZXRoaW5n'],
  ['image', { ImageConfigResponse: { ImageConfig: { Command: ['sh'] } } }, 'image: {"Command":["sh"]}'],
  ['VPC', { VpcConfig: { SubnetIds: ['subnet-9'], SecurityGroupIds: [] } }, 'vpc: subnet-9, not sg-1'],
  ['SnapStart', { SnapStart: { ApplyOn: 'PublishedVersions' } }, 'snapStart: PublishedVersions, not None'],
  [
    'machines of the account',
    {
      CapacityProviderConfig: {
        LambdaManagedInstancesCapacityProviderConfig: { CapacityProviderArn: 'arn' },
      },
    },
    'capacityProvider: sha256:',
  ],
  ['durable execution', { DurableConfig: { ExecutionTimeout: 9 } }, 'durable: {"ExecutionTimeout":9}'],
  ['tenants', { TenancyConfig: { TenantIsolationMode: 'PER_TENANT' } }, 'tenancy: {"TenantIsolationMode"'],
])('%s changed behind the back of the lock: refused by name', (_, changed, text) => {
  expect(refused(changed)[0]).toContain(text);
});

const forbidden = ['NODE_OPTIONS', 'AWS_LAMBDA_EXEC_WRAPPER', 'LD_PRELOAD', 'LD_LIBRARY_PATH'];
test.each(forbidden)(
  '%s is refused, also if the lock has it and if the lock has no configuration',
  (name) => {
    const changed = env({ [name]: '/opt/evil' });
    const text = `environment.${name}: /opt/evil, not not set`;
    const config = lambdaConfig({ ...deployed, ...changed });
    for (const entry of [accepted, codeOnly, { ...accepted, config }])
      expect(refused(changed, entry)).toEqual([text]);
  },
);

test.each<[string, Partial<DeployedVersion>, string]>([
  ['layers', { Layers: [{ Arn: layer }] }, `layers: ${layer}, not none`],
  ['file systems', { FileSystemConfigs: [disk] }, `fileSystems: ${disk.Arn} at /mnt/a, not none`],
  ['an image', { PackageType: 'Image' }, 'packageType: Image, not Zip'],
])('%s: no lock can allow it', (_, changed, text) => {
  const config = lambdaConfig({ ...deployed, ...changed });
  expect(refused(changed, { ...accepted, config })).toEqual([text]);
  expect(refused(changed, codeOnly)).toEqual([text]);
});

test('an entry without configuration: the code is compared, settings are not', () => {
  expect(refused({ Handler: 'other.handler', ...env({ MORE: '1' }) }, codeOnly)).toEqual([]);
  expect(refused({ CodeSha256: 'x' }, codeOnly)).toHaveLength(1);
});

test('what does not change what runs may change', () => {
  const changed = { RevisionId: 'x', MemorySize: 1024, Timeout: 3, Description: 'x', State: 'Inactive' };
  expect(refused(changed)).toEqual([]);
});

test('AWS patches the runtime: its ConfigSha256 may change with it, and nothing else', () => {
  const patched = { RuntimeVersionConfig: { RuntimeVersionArn: 'arn:aws:lambda:eu-central-1::runtime:2' } };
  expect(refused({ ...patched, ConfigSha256: 'b3RoZXI=' })).toEqual([]);
  expect(refused({ ...patched, Handler: 'other.handler' })).toHaveLength(1);
});

test('a field that the lock does not have means its default; one that only a newer release knows is refused', () => {
  const { vpc: _, layers: __, role: ___, configSha256: ____, ...older } = accepted.config;
  expect(refused({ VpcConfig: undefined }, { ...accepted, config: older })).toEqual([
    'role: arn:aws:iam::123456789012:role/office, not not set',
  ]);
  const config = { ...accepted.config, enclave: 'on' };
  expect(refused({}, { ...accepted, config })).toEqual(['enclave: not set, not on']);
});
