import {
  isForbiddenVariable,
  type LambdaConfiguration,
  lambdaConfig,
} from '../../../adapter/targets/lambda/configuration.ts';
import { PluginError } from '../../../proto/error.ts';
import { parseJwks } from '../../../proto/keys/parse.ts';
import { codeSha256Of } from '../../build/function.ts';
import type { DeployFunction } from '../cloud.ts';
import type { Packaged } from './osls.ts';

/** What serverless.yml makes of one function. */
export interface PlannedFunction {
  /** Its name on Lambda. */
  readonly functionName: string;
  /** SHA-256 of its zip as AWS writes it: base64. */
  readonly codeSha256: string;
  /** Name of the SecureString with its key. */
  readonly keyParameter: string;
  /** Names of its variables, sorted. */
  readonly variables: readonly string[];
  /** Field to value, as in a lock, as far as the template says it: a reference is known only to CloudFormation. */
  readonly config: Readonly<Record<string, string>>;
}

/**
 * Finds a function in the packaged template, and refuses what no function may have, before anything is uploaded.
 *
 * @throws PluginError CONFIG_INVALID naming the place in serverless.yml
 */
export function plannedFunction(packaged: Packaged, fn: DeployFunction): PlannedFunction {
  const service = packaged.functions[fn.name];
  if (service === undefined) {
    throw wrong(`functions.${fn.name} is missing`, `the settings of ${fn.name} on Lambda`);
  }
  const [logicalId, resource] =
    Object.entries(packaged.resources).find(
      ([, { Type, Properties }]) =>
        Type === 'AWS::Lambda::Function' && Properties?.['FunctionName'] === service.name,
    ) ?? [];
  const properties = resource?.Properties ?? {};
  const place = `functions.${fn.name}`;
  const config = literalConfig(properties);
  const { variables, text } = variablesOf(properties);
  refuse(place, properties, config, variables);
  demand(`${place}.environment.PLUGIN_FUNCTION`, text('PLUGIN_FUNCTION'), fn.id);
  demand(`${place}.handler`, config['handler'], 'index.handler');
  const keyParameter = text('PLUGIN_KEY_PARAMETER') ?? '';
  // https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
  if (!/^\/[\w./-]{1,1000}$/.test(keyParameter)) {
    throw wrong(
      `${place}.environment.PLUGIN_KEY_PARAMETER is no name of a parameter`,
      `/sftpgo/${fn.stage}/${fn.name}`,
    );
  }
  checkCallers(`${place}.environment.PLUGIN_CALLERS`, text('PLUGIN_CALLERS'));
  return {
    functionName: service.name,
    codeSha256: checkedCode(place, packaged.resources, logicalId, fn),
    keyParameter,
    variables,
    config,
  };
}

/** The zip that osls is going to upload must be the one that was built. */
function checkedCode(
  place: string,
  resources: Packaged['resources'],
  logicalId: string | undefined,
  { name, manifest, builtIn }: DeployFunction,
): string {
  const zip = manifest.artifacts.find(({ runtime }) => runtime === 'lambda');
  if (zip === undefined) {
    throw wrong(
      `the build of ${name} has no zip for Lambda`,
      `${builtIn}/${name}.lambda.zip: build it again`,
    );
  }
  const built = codeSha256Of(zip.sha256);
  const version = Object.values(resources).find(
    ({ Type, Properties }) =>
      Type === 'AWS::Lambda::Version' && Object(Properties?.['FunctionName'])['Ref'] === logicalId,
  );
  if (version === undefined) {
    throw wrong(
      'provider.versionFunctions is off',
      'osls to publish versions, as it does when it is not told',
    );
  }
  if (version.Properties?.['CodeSha256'] === built) return built;
  throw wrong(
    `${place}.package.artifact is another file than the build: CodeSha256 ${version.Properties?.['CodeSha256']}`,
    `${zip.file} with ${built}, and package.individually: true`,
  );
}

function refuse(
  place: string,
  properties: Readonly<Record<string, unknown>>,
  config: Readonly<Record<string, string>>,
  variables: readonly string[],
): void {
  for (const [key, setting] of [
    ['Layers', 'layers'],
    ['FileSystemConfigs', 'fileSystemConfig'],
  ] as const) {
    if (((properties[key] as unknown[] | undefined) ?? []).length === 0) continue;
    throw wrong(
      `${place}.${setting} is set`,
      'the zip alone: what a layer or a file system holds is in no lock',
    );
  }
  if ((config['packageType'] ?? 'Zip') !== 'Zip') throw wrong(`${place}.image is set`, 'a zip');
  for (const name of variables) {
    if (isForbiddenVariable(`environment.${name}`)) {
      throw wrong(
        `${place}.environment.${name} is set`,
        'no variable that makes Lambda run other code than the zip',
      );
    }
    if (name !== 'PLUGIN_KEY') continue;
    throw wrong(
      `${place}.environment.PLUGIN_KEY is set`,
      'PLUGIN_KEY_PARAMETER: whoever may read the configuration reads its variables',
    );
  }
}

function checkCallers(place: string, value: string | undefined): void {
  try {
    parseJwks(JSON.parse(value ?? ''), place);
  } catch (cause) {
    throw wrong(`${place} is no set of public keys`, 'the content of adapter.jwks.json, by --callers', cause);
  }
}

function demand(place: string, found: string | undefined, expected: string): void {
  if (found !== expected) throw wrong(`${place} is ${found ?? 'missing'}`, expected);
}

/** The properties of the template that are plain values, in the form of a lock. */
function literalConfig(properties: Readonly<Record<string, unknown>>): Record<string, string> {
  const literal = Object.fromEntries(
    Object.entries(properties).filter(([, value]) => !hasReference(value)),
  ) as LambdaConfiguration;
  const { variables, text } = variablesOf(properties);
  const Variables: Record<string, string> = {};
  for (const name of variables) {
    const value = text(name);
    if (value !== undefined) Variables[name] = value;
  }
  const config = lambdaConfig({ ...literal, Environment: { Variables } });
  const unknown = [
    ['role', 'Role'],
    ['vpc', 'VpcConfig'],
  ] as const;
  for (const [field, key] of unknown)
    if (literal[key] === undefined && key in properties) delete config[field];
  return config;
}

function variablesOf(properties: Readonly<Record<string, unknown>>) {
  const values: Record<string, unknown> = Object(Object(properties['Environment'])['Variables']);
  const text = (name: string) => {
    const value = values[name];
    return typeof value === 'string' ? value : undefined;
  };
  return { variables: Object.keys(values).sort(), text };
}

/** Is it, or has it somewhere inside, a function of CloudFormation: {Ref: …}, {Fn::Sub: …}? */
function hasReference(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([key, inner]) => key === 'Ref' || key.startsWith('Fn::') || hasReference(inner),
  );
}

function wrong(happened: string, expected: string, cause?: unknown): PluginError {
  return new PluginError('CONFIG_INVALID', {
    happened: `serverless.yml: ${happened}`,
    expected,
    remedy: 'Correct it: docs/deploy.md explains every line.',
    cause,
  });
}
