import type { AcceptedVersion, Lock, LockedFunction } from '../../proto/lock/schema.ts';
import { keyidsOf, splitInput, valueText } from './text.ts';

/** One difference between two locks. */
export interface LockChange {
  /** `office@live`. */
  readonly function: string;
  /**
   * `function` (added, removed), `type`, `target`, `address`, `handles`, `version`, `file NAME`, `config FIELD`,
   * `input PACKAGE`, `key`.
   */
  readonly field: string;
  /** undefined: it was not there. */
  readonly before: string | undefined;
  /** undefined: it is no longer there. */
  readonly after: string | undefined;
}

/**
 * What differs in the functions of two locks, field by field, for whoever reviews it.
 *
 * Versions are compared by their number or id. What is new in a version (files, configuration, packages) is compared
 * with the version that it follows: the same one, else the last one before of the same files, else the last one.
 */
export async function diffLocks(before: Lock, after: Lock): Promise<LockChange[]> {
  const names = [...new Set([...Object.keys(before.functions), ...Object.keys(after.functions)])].sort();
  const changes = await Promise.all(
    names.map(async (name) => {
      const fields = await diffFunctions(own(before.functions, name), own(after.functions, name));
      return fields.map((field) => ({ function: name, ...field }));
    }),
  );
  return changes.flat();
}

type Field = Omit<LockChange, 'function'>;

async function diffFunctions(
  before: LockedFunction | undefined,
  after: LockedFunction | undefined,
): Promise<Field[]> {
  if (before === undefined || after === undefined) {
    const text = (fn: LockedFunction | undefined) => fn && `${fn.type}, ${fn.target}, ${fn.address}`;
    return [{ field: 'function', before: text(before), after: text(after) }];
  }
  return [
    ...diffRecords('', { ...plain(before) }, { ...plain(after) }),
    ...diffSets('version', versionsOf(before), versionsOf(after)),
    ...unique(after.accepts.flatMap((version) => diffVersions(followed(before.accepts, version), version))),
    ...diffSets('key', await keyidsOf(before), await keyidsOf(after)),
  ];
}

function plain({ type, target, address, handles }: LockedFunction): Record<string, string> {
  return { type, target, address, handles: [...handles].sort().join(', ') };
}

const versionsOf = ({ accepts }: LockedFunction) => accepts.map(({ version }) => version);

/** The version before, of which this one is the next. */
function followed(before: readonly AcceptedVersion[], { version, files }: AcceptedVersion): AcceptedVersion {
  const names = (of: AcceptedVersion['files']) => Object.keys(of).sort().join('\n');
  return (
    before.find((old) => old.version === version) ??
    before.findLast((old) => names(old.files) === names(files)) ??
    before.at(-1) ?? { version: '', files: {}, config: {}, inputs: {} }
  );
}

function diffVersions(before: AcceptedVersion, after: AcceptedVersion): Field[] {
  const texts = ({ config }: AcceptedVersion) =>
    Object.fromEntries(Object.entries(config).map(([field, value]) => [field, valueText(value)]));
  return [
    ...diffRecords('file ', before.files, after.files),
    ...diffRecords('config ', texts(before), texts(after)),
    ...diffInputs(before.inputs, after.inputs),
  ];
}

/** Packages by name, so that an update is one line: `hono 4.13.18 → 4.13.19`. */
function diffInputs(before: AcceptedVersion['inputs'], after: AcceptedVersion['inputs']): Field[] {
  const changed = diffRecords('input ', versionsByName(before), versionsByName(after));
  const sameVersion = Object.entries(after).flatMap(([input, digest]): Field[] => {
    const old = own(before, input);
    if (old === undefined || old === digest) return [];
    const { name, version } = splitInput(input);
    const text = (of: string) => `${version}, files ${of}`;
    return [{ field: `input ${name}`, before: text(old), after: text(digest) }];
  });
  return [...changed, ...sameVersion];
}

/** A bundle may have two versions of one package. */
function versionsByName(inputs: AcceptedVersion['inputs']): Record<string, string> {
  const byName: Record<string, string> = {};
  for (const input of Object.keys(inputs).sort()) {
    const { name, version } = splitInput(input);
    const known = own(byName, name);
    byName[name] = known === undefined ? version : `${known}, ${version}`;
  }
  return byName;
}

function diffRecords(
  prefix: string,
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): Field[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names
    .map((name) => ({ field: `${prefix}${name}`, before: own(before, name), after: own(after, name) }))
    .filter((field) => field.before !== field.after);
}

function diffSets(field: string, before: readonly string[], after: readonly string[]): Field[] {
  return [
    ...before.filter((one) => !after.includes(one)).map((one) => ({ field, before: one, after: undefined })),
    ...after.filter((one) => !before.includes(one)).map((one) => ({ field, before: undefined, after: one })),
  ];
}

/** The Worker and the Node bundle of one build have most of their packages in common. */
function unique(fields: readonly Field[]): Field[] {
  const seen = new Set<string>();
  return fields.filter((field) => {
    const key = JSON.stringify([field.field, field.before, field.after]);
    return !seen.has(key) && seen.add(key);
  });
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
