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
  const locked = accepted.config;
  const wanted = zipDigest(accepted);
  const rows: Compared[] = [row(codeField, wanted, deployed.CodeSha256 ?? 'none')];
  if (!isConfigLocked(accepted)) {
    for (const field of always) rows.push(row(field, fixed[field] ?? 'none', found[field] ?? 'none'));
  } else {
    for (const field of [...new Set([...Object.keys(locked), ...Object.keys(found)])].sort()) {
      if (field === 'runtimeVersion' || (field === 'configSha256' && !(field in locked))) continue;
      const demanded = always.includes(field) ? fixed[field] : (locked[field] ?? defaults[field]);
      const expected = demanded === undefined ? 'none' : text(demanded);
      const compared = row(field, expected, found[field] ?? 'none');
      const excused = field === 'configSha256' && runtimeWasPatched(locked, found);
      rows.push(excused ? { ...compared, ok: true } : compared);
    }
  }
  for (const field of Object.keys(found)) {
    if (!isForbiddenVariable(field.replace(/^environment\./, '')) || !field.startsWith('environment.'))
      continue;
    const index = rows.findIndex((compared) => compared.field === field);
    rows.splice(index < 0 ? rows.length : index, index < 0 ? 0 : 1, {
      field,
      expected: 'none: it makes other code run than the zip',
      found: found[field] ?? '',
      ok: false,
    });
  }
  return rows;
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

function row(field: string, expected: string, found: string): Compared {
  return { field, expected, found, ok: expected === found };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * AWS does not say what its ConfigSha256 is made of, and patches runtimes by itself, under published versions too
 * (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html): with another runtime version, another digest
 * alone proves nothing.
 */
function runtimeWasPatched(
  locked: AcceptedVersion['config'],
  found: Readonly<Record<string, string>>,
): boolean {
  return locked['runtimeVersion'] !== found['runtimeVersion'];
}
