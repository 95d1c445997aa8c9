import { isArray, isObject, type Json, type JsonObject } from '../../json/tree.ts';
import { type Field, type Fields, type Rule, userFields } from './user-fields.ts';

/** Fields whose absence in a whole user means that its author does not manage them. */
const kept: ReadonlySet<Rule> = new Set<Rule>(['host', 'offered-key', 'offered-certificate']);

/**
 * A whole user (`plugin-grant: replace`) with what its author could not know or may not change taken from the host's
 * record wherever it is absent: hidden fields, fields of the rule `host`, keys, certificates, keys unknown here.
 */
export function putBack(record: JsonObject, user: JsonObject): JsonObject {
  return complete(record, user, userFields);
}

/** A merged user with the hidden fields of its virtual folders: a patch replaces a list as a whole. */
export function putBackFolders(record: JsonObject, user: JsonObject): JsonObject {
  const stored = record.get('virtual_folders');
  const given = user.get('virtual_folders');
  const field = userFields['virtual_folders'];
  if (!field || !isArray(stored) || !isArray(given)) return user;
  return new Map(user).set(
    'virtual_folders',
    given.map((folder) => withSecrets(stored, folder, field)),
  );
}

function complete(record: JsonObject, given: JsonObject, fields: Fields): JsonObject {
  const whole = new Map<string, Json>(given);
  for (const [key, stored] of record) {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    const value = given.get(key);
    if (field === undefined || field.hidden || kept.has(field.rule)) {
      if (!given.has(key)) whole.set(key, stored);
    } else if (field.kind === 'object' && isObject(stored)) {
      const inner = complete(stored, isObject(value) ? value : new Map(), field.fields);
      if (inner.size > 0) whole.set(key, inner);
    } else if (field.rule === 'folders' && isArray(stored) && isArray(value)) {
      whole.set(
        key,
        value.map((folder) => withSecrets(stored, folder, field)),
      );
    }
  }
  return whole;
}

/** A virtual folder is the one of the same name, at the same place if it is mounted twice. What is absent is as it was. */
function withSecrets(stored: readonly Json[], folder: Json, field: Field): Json {
  if (field.kind !== 'list' || field.of.kind !== 'object' || !isObject(folder)) return folder;
  const named = stored.filter(isObject).filter((known) => known.get('name') === folder.get('name'));
  const same = named.find((known) => known.get('virtual_path') === folder.get('virtual_path')) ?? named[0];
  if (same === undefined) return folder;
  const absent = [...same].filter(([key]) => !folder.has(key));
  return new Map([...complete(same, folder, field.of.fields), ...absent]);
}
