import { Buffer } from 'node:buffer';
import { PluginError } from '../../../proto/error.ts';
import type { AcceptedVersion } from '../../../proto/lock/schema.ts';
import { defaults, isForbiddenVariable, type LambdaConfiguration, lambdaConfig } from './configuration.ts';

/** What AWS says of one version. */
export interface DeployedVersion extends LambdaConfiguration {
  /** SHA-256 of its zip, base64. */
  readonly CodeSha256?: string | undefined;
  readonly RevisionId?: string | undefined;
  readonly LastModified?: string | undefined;
}

/** One field of a version: what the lock says, and what AWS says. */
export interface Compared {
  readonly field: string;
  readonly expected: string;
  readonly found: string;
  readonly ok: boolean;
}

export const codeField = 'code sha256';

/** Fields that no lock can change: functions of this project are one zip, and nothing else is loaded. */
const always: readonly string[] = ['packageType', 'layers', 'fileSystems', 'image'];
const fixed: Readonly<Record<string, string>> = { ...defaults, packageType: 'Zip' };

/**
 * Compares a deployed version with the entry of the lock, field by field; the code first.
 *
 * An entry with an empty `config` was locked without looking at AWS: of it the code is compared, and what holds for
 * every function. A field that AWS did not have when the lock was written means its default.
 */
export function compareVersion(accepted: AcceptedVersion, deployed: DeployedVersion): Compared[] {
  const found = lambdaConfig(deployed);
  const forbidden = Object.keys(found).filter((field) => isForbiddenVariable(field));
  const compared = isConfigLocked(accepted)
    ? [...new Set([...Object.keys(accepted.config), ...Object.keys(found)])]
        .filter((field) => !isLeftOut(field, accepted) && !forbidden.includes(field))
        .sort()
    : always;
  return [
    row(codeField, zipDigest(accepted), deployed.CodeSha256),
    ...forbidden.map((field) => ({ ...row(field, undefined, found[field]), ok: false })),
    ...compared.map((field) => {
      const result = row(field, demanded(field, accepted), found[field]);
      return field === 'configSha256' && runtimeWasPatched(accepted, found)
        ? { ...result, ok: true }
        : result;
    }),
  ];
}

function demanded(field: string, { config }: AcceptedVersion): string | undefined {
  const value = always.includes(field) ? undefined : config[field];
  if (value === undefined) return fixed[field];
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** AWS moves the runtime itself, and its own digest counts only where the lock has one. */
function isLeftOut(field: string, { config }: AcceptedVersion): boolean {
  return field === 'runtimeVersion' || (field === 'configSha256' && config[field] === undefined);
}

/** Does the lock say anything about the configuration of this version? */
export function isConfigLocked({ config }: AcceptedVersion): boolean {
  return Object.keys(config).length > 0;
}

/** The one zip of an entry as AWS spells its digest. Throws LOCK_INVALID for none or several. */
export function zipDigest({ version, files }: AcceptedVersion): string {
  const [zip, ...others] = Object.values(files);
  if (zip !== undefined && others.length === 0) return Buffer.from(zip, 'hex').toString('base64');
  throw new PluginError('LOCK_INVALID', {
    happened: `version ${version} of a lambda function has ${Object.keys(files).length} files`,
    expected: 'the zip alone',
    remedy: 'Build the lock again.',
  });
}

function row(field: string, expected: string | undefined, found: string | undefined): Compared {
  return { field, expected: expected ?? 'not set', found: found ?? 'not set', ok: expected === found };
}

/**
 * AWS does not say what its ConfigSha256 is made of, and patches runtimes by itself, under published versions too
 * (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html): with another runtime version, another digest
 * alone proves nothing.
 */
function runtimeWasPatched({ config }: AcceptedVersion, found: Readonly<Record<string, string>>): boolean {
  return config['runtimeVersion'] !== found['runtimeVersion'];
}
