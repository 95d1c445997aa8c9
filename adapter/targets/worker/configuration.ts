import { Buffer } from 'node:buffer';
import { sha256Hex } from '../../../proto/lock/digest.ts';
import type { AcceptedVersion } from '../../../proto/lock/schema.ts';
import type { FoundVersion, FoundWorker } from './found.ts';

type Config = AcceptedVersion['config'];
type Value = Config[string];

/** Longer values stand in the lock as their digest. */
const maxValueChars = 64;

/** The value of a secret is not shown by the API: its name and that it is one is all there is to compare. */
const secretTypes: ReadonlySet<string> = new Set(['secret_text', 'secret_key']);

/**
 * The `config` of a version in the lock: what Cloudflare says about it that decides how its code runs. The same
 * function writes the lock at deployment and reads the deployment for the check, so that the two cannot differ in
 * form.
 *
 * Fields: `worker`, `mainModule`, `compatibilityDate`, `compatibilityFlags`, `tailConsumers`, `containers`, one
 * `binding.<NAME>` each, one `module.<name>` with its type each. Values over 64 characters as `sha256:…`.
 */
export function workerConfig(version: FoundVersion, worker: FoundWorker): Config {
  const bindings = (version.bindings ?? []).map(
    ({ name, ...rest }) => [`binding.${name}`, bound(rest)] as const,
  );
  const modules = (version.modules ?? []).map(
    ({ name, content_type: type }) => [`module.${name}`, type] as const,
  );
  return {
    worker: worker.name,
    mainModule: version.main_module ?? '',
    compatibilityDate: version.compatibility_date ?? '',
    compatibilityFlags: [...(version.compatibility_flags ?? [])].sort(),
    ...workerSettings(worker),
    containers: (version.containers ?? []).map(canonical).sort(),
    ...Object.fromEntries([...bindings, ...modules].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/**
 * The fields of {@link workerConfig} that belong to no version: they can change at any time, so they are read at
 * each look.
 */
export function workerSettings(worker: FoundWorker): Config {
  const consumers = [...(worker.tail_consumers ?? []), ...(worker.streaming_tail_consumers ?? [])];
  return { tailConsumers: consumers.map(({ name }) => name).sort() };
}

/** The `files` of a version in the lock: each module's name with the SHA-256 of its bytes. */
export function workerFiles(version: FoundVersion): AcceptedVersion['files'] {
  return Object.fromEntries(
    (version.modules ?? []).map(({ name, content_base64: content }) => [
      name,
      sha256Hex(Buffer.from(content, 'base64')),
    ]),
  );
}

/** A value of the lock as `verify` shows it, and as two of them are compared. */
export function canonical(value: unknown): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(sorted(value)) ?? '';
}

function bound({ type, ...rest }: { type: string } & Readonly<Record<string, unknown>>): Value {
  if (secretTypes.has(type)) return { type };
  const fields = Object.entries(rest).filter(([, value]) => value !== null && value !== undefined);
  return { type, ...Object.fromEntries(fields.map(([name, value]) => [name, short(canonical(value))])) };
}

function short(text: string): string {
  return text.length <= maxValueChars ? text : `sha256:${sha256Hex(text)}`;
}

/** Keys in one order, at any depth. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
