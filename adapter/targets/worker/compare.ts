import type { AcceptedVersion } from '../../../proto/lock/schema.ts';
import { canonical, workerConfig, workerFiles, workerSettings } from './configuration.ts';
import type { FoundVersion, FoundWorker } from './found.ts';

/** One field of a version: what the lock says, and what Cloudflare says. */
export interface Compared {
  readonly field: string;
  readonly expected: string;
  readonly found: string;
  readonly ok: boolean;
}

/**
 * Compares a version with its entry in the lock: every module, then every field of the configuration. What one side
 * has and the other has not is a difference.
 */
export function compareVersion(
  accepted: AcceptedVersion,
  version: FoundVersion,
  worker: FoundWorker,
): Compared[] {
  const files = rows(accepted.files, workerFiles(version));
  return [
    ...files.map((row) => ({ ...row, field: `sha256 of ${row.field}` })),
    ...rows(accepted.config, workerConfig(version, worker)),
  ];
}

/** Compares what belongs to no version, and so can change at any time. */
export function compareSettings({ config }: AcceptedVersion, worker: FoundWorker): Compared[] {
  const found = workerSettings(worker);
  return rows(Object.fromEntries(Object.keys(found).map((field) => [field, config[field]])), found);
}

function rows(
  expected: Readonly<Record<string, unknown>>,
  found: Readonly<Record<string, unknown>>,
): Compared[] {
  return [...new Set([...Object.keys(expected), ...Object.keys(found)])].sort().map((field) => {
    const [wanted, is] = [textOf(expected, field), textOf(found, field)];
    return { field, expected: wanted ?? 'none', found: is ?? 'none', ok: wanted === is };
  });
}

function textOf(values: Readonly<Record<string, unknown>>, field: string): string | undefined {
  return Object.hasOwn(values, field) && values[field] !== undefined ? canonical(values[field]) : undefined;
}
