import { canonical, workerConfig, workerFiles } from '../../../adapter/targets/worker/configuration.ts';
import type { FoundVersion, FoundWorker } from '../../../adapter/targets/worker/found.ts';
import type { AcceptedVersion } from '../../../proto/lock/schema.ts';

/** One field of a version that is not what it should be. */
export interface Difference {
  readonly field: string;
  readonly expected: string;
  readonly found: string;
}

type Config = AcceptedVersion['config'];

/**
 * How a version that Cloudflare has differs from what wrangler was to upload; empty: not at all.
 *
 * Every field of the upload must be there as it is, every binding and module there must be of the upload. What
 * Cloudflare adds to a binding of its own accord (the namespace of a Durable Object) is taken as found.
 */
export function differences(expected: FoundVersion, found: FoundVersion, worker: FoundWorker): Difference[] {
  const files = diff(prefixed(workerFiles(expected)), prefixed(workerFiles(found)));
  const config = diff(
    workerConfig(expected, { name: worker.name }),
    { ...workerConfig(found, worker) },
    (wanted, seen) => canonical(wanted) === canonical(seen) || isPart(wanted, seen),
  );
  return [...files, ...config];
}

function prefixed(files: AcceptedVersion['files']): Config {
  return Object.fromEntries(Object.entries(files).map(([name, digest]) => [`files.${name}`, digest]));
}

function diff(
  expected: Config,
  found: Config,
  same = (wanted: unknown, seen: unknown) => canonical(wanted) === canonical(seen),
): Difference[] {
  const fields = new Set([...Object.keys(expected), ...Object.keys(found)]);
  return [...fields]
    .filter((field) => !same(expected[field], found[field]))
    .map((field) => ({ field, expected: shown(expected[field]), found: shown(found[field]) }));
}

function shown(value: unknown): string {
  return value === undefined ? 'none' : canonical(value);
}

/** Whether every field of a binding is in the other one. */
function isPart(wanted: unknown, seen: unknown): boolean {
  if (!isRecord(wanted) || !isRecord(seen)) return false;
  return Object.entries(wanted).every(([name, value]) => canonical(value) === canonical(seen[name]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
