import { equal, isArray, isNumber, isObject, type Json, type JsonObject } from '../../json/tree.ts';
import { grantRefused } from './refuse.ts';
import { type Field, type Fields, isSecret, userFields } from './user-fields.ts';

/** One field that an answer changes. Values are as Go reads them: no zero members, undefined for a zero. */
export interface Change {
  /** Dotted, as `filters.max_upload_file_size`. */
  readonly path: string;
  readonly field: Field;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

/**
 * A value as Go's decoder leaves it in a fresh struct: `null`, 0, '', false, empty lists and objects are its zero and
 * the same as absent: undefined. Entries of a map stay, since `{"/": []}` is not `{}`.
 */
export function asGoReads(value: Json | undefined, field?: Field): Json | undefined {
  if (value === undefined || value === null) return undefined;
  if (field?.kind === 'any') return value;
  if (value === '' || value === false) return undefined;
  if (isNumber(value)) return value.number === '0' ? undefined : value;
  if (isArray(value)) {
    const of = field?.kind === 'list' ? field.of : undefined;
    return value.length === 0 ? undefined : value.map((element) => asGoReads(element, of) ?? null);
  }
  if (!isObject(value)) return value;
  const members = [...value].flatMap(([key, member]): [string, Json][] => {
    if (field?.kind === 'map') return [[key, asGoReads(member, field.of) ?? []]];
    const inner =
      field?.kind === 'object' && Object.hasOwn(field.fields, key) ? field.fields[key] : undefined;
    const read = asGoReads(member, inner);
    return read === undefined ? [] : [[key, read]];
  });
  return members.length === 0 ? undefined : new Map(members);
}

/**
 * The fields in which two users differ for Go, leaves only: a list, a map and a secret are each one.
 *
 * Throws GRANT_REFUSED when they differ in a key that SFTPGo's SDK does not have.
 */
export function changesBetween(before: JsonObject, after: JsonObject): Change[] {
  return changesOf(before, after, userFields, '');
}

function changesOf(
  before: Json | undefined,
  after: Json | undefined,
  fields: Fields,
  prefix: string,
): Change[] {
  const old = isObject(before) ? before : new Map<string, Json>();
  const now = isObject(after) ? after : new Map<string, Json>();
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((key): Change[] => {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (field === undefined) {
      // bytes of the same spelling: what this key means to a newer SFTPGo is not known here
      if (old.has(key) && equal(old.get(key), now.get(key))) return [];
      throw grantRefused(
        `the answer changes a key under "${prefix}" that this release does not know`,
        'only fields of SFTPGo 2.7',
      );
    }
    const path = `${prefix}${key}`;
    if (field.kind === 'object' && !isSecret(field)) {
      return changesOf(old.get(key), now.get(key), field.fields, `${path}.`);
    }
    const change = {
      path,
      field,
      before: asGoReads(old.get(key), field),
      after: asGoReads(now.get(key), field),
    };
    if (equal(change.before, change.after)) return [];
    refuseUnknownInside(change);
    return [change];
  });
}

/** Keys that no field has, within what a change brings; elements that the host had already are as they were. */
function refuseUnknownInside({ path, field, before, after }: Change): void {
  const known = isArray(before) ? before : [];
  const brought = isArray(after) ? after.filter((value) => !known.some((old) => equal(old, value))) : [after];
  const element = field.kind === 'list' ? field.of : field;
  if (brought.some((value) => hasUnknown(value, element))) {
    throw grantRefused(
      `the answer adds a key to ${path} that this release does not know`,
      'fields of SFTPGo 2.7',
    );
  }
}

function hasUnknown(value: Json | undefined, field: Field): boolean {
  if (field.kind === 'list' && isArray(value)) return value.some((element) => hasUnknown(element, field.of));
  if (field.kind !== 'object' || !isObject(value)) return false;
  return [...value].some(([key, member]) => {
    const inner = Object.hasOwn(field.fields, key) ? field.fields[key] : undefined;
    return inner === undefined || hasUnknown(member, inner);
  });
}
