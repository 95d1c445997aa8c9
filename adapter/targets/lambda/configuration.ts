import { createHash } from 'node:crypto';
import type { FunctionConfiguration } from '@aws-sdk/client-lambda';

/** What GetFunctionConfiguration and PublishVersion say, as far as it decides what runs. */
export type LambdaConfiguration = Pick<
  FunctionConfiguration,
  | 'Architectures'
  | 'CapacityProviderConfig'
  | 'ConfigSha256'
  | 'DurableConfig'
  | 'Environment'
  | 'FileSystemConfigs'
  | 'Handler'
  | 'ImageConfigResponse'
  | 'Layers'
  | 'PackageType'
  | 'Role'
  | 'Runtime'
  | 'RuntimeVersionConfig'
  | 'SnapStart'
  | 'TenancyConfig'
  | 'VpcConfig'
>;

/** Longer values stand in the lock as their digest. */
const maxValueLength = 64;

/** What a field is when AWS does not say: absent from a lock it means the same. */
export const defaults: Readonly<Record<string, string>> = {
  layers: 'none',
  fileSystems: 'none',
  image: 'none',
  vpc: 'none',
  snapStart: 'None',
  capacityProvider: 'none',
  durable: 'none',
  tenancy: 'none',
};

/**
 * The configuration of a deployed Lambda version as it stands in a lock's `config`: everything that decides what
 * runs, and in whose name. Memory, time-outs, logging and tracing are not in it. `configSha256` and
 * `runtimeVersion` are there if AWS says them.
 *
 * Takes AWS's answer about one version; returns field to value, in the order of the fields' names. Values of more than
 * 64 characters, or of other than printable ASCII, are `sha256:…`.
 *
 * ```ts
 * lambdaConfig(await client.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier: '7' })));
 * // { architecture: 'arm64', 'environment.PLUGIN_FUNCTION': 'office@live', handler: 'index.handler', … }
 * ```
 */
export function lambdaConfig(found: LambdaConfiguration): Record<string, string> {
  const { RuntimeVersionConfig: runtime, ConfigSha256: configSha256 } = found;
  const variables = Object.entries(found.Environment?.Variables ?? {});
  const fields: Record<string, string | undefined> = {
    ...Object.fromEntries(variables.map(([name, value]) => [`environment.${name}`, shown(value)])),
    architecture: listed(found.Architectures) ?? 'x86_64',
    capacityProvider: whole(found.CapacityProviderConfig) ?? defaults['capacityProvider'],
    configSha256,
    durable: whole(found.DurableConfig) ?? defaults['durable'],
    fileSystems:
      listed(found.FileSystemConfigs?.map(({ Arn, LocalMountPath }) => `${Arn} at ${LocalMountPath}`)) ??
      defaults['fileSystems'],
    handler: found.Handler ?? '',
    image: whole(found.ImageConfigResponse?.ImageConfig) ?? defaults['image'],
    // a later layer covers the files of an earlier one: their order counts
    layers: listed(found.Layers?.map(({ Arn }) => Arn ?? '')) ?? defaults['layers'],
    packageType: found.PackageType ?? 'Zip',
    role: found.Role ?? '',
    runtime: found.Runtime ?? '',
    runtimeVersion: runtime?.RuntimeVersionArn,
    snapStart: found.SnapStart?.ApplyOn ?? defaults['snapStart'],
    tenancy: whole(found.TenancyConfig) ?? defaults['tenancy'],
    vpc: network(found.VpcConfig) ?? defaults['vpc'],
  };
  return Object.fromEntries(
    Object.entries(fields)
      .filter((field): field is [string, string] => field[1] !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/**
 * Is this field a variable that makes Node or the loader run other code than the zip's? No function may have one,
 * whatever a lock says (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html).
 */
export function isForbiddenVariable(field: string): boolean {
  return /^environment\.(?:NODE_OPTIONS$|AWS_LAMBDA_EXEC_WRAPPER$|LD_)/.test(field);
}

function shown(value: string): string {
  if (value.length <= maxValueLength && /^[\x20-\x7e]*$/.test(value)) return value;
  return `sha256:${createHash('sha256').update(value).digest('hex')}`;
}

function listed(values: readonly string[] | undefined): string | undefined {
  return values === undefined || values.length === 0 ? undefined : values.join(', ');
}

/** A part that functions of this project do not have: told as it is. */
function whole(value: object | undefined): string | undefined {
  return value === undefined || Object.keys(value).length === 0 ? undefined : shown(JSON.stringify(value));
}

function network(vpc: LambdaConfiguration['VpcConfig']): string | undefined {
  return listed([...(vpc?.SubnetIds ?? []), ...(vpc?.SecurityGroupIds ?? [])].sort());
}
