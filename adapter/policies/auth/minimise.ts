import { isArray, isObject, type Json, type JsonObject } from '../../json/tree.ts';
import { type Field, type Fields, userFields } from './user-fields.ts';

/**
 * What a function sees of a user under `send: minimal`: the fields that SFTPGo's SDK has, without those marked
 * hidden. What a newer SFTPGo adds stays on the host until it is known here.
 */
export function minimise(user: JsonObject): JsonObject {
  return visible(user, userFields);
}

function visible(object: JsonObject, fields: Fields): JsonObject {
  const kept = new Map<string, Json>();
  for (const [key, value] of object) {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (field && !field.hidden) kept.set(key, visibleValue(value, field));
  }
  return kept;
}

function visibleValue(value: Json, field: Field): Json {
  if (field.kind === 'object' && isObject(value)) return visible(value, field.fields);
  if (field.kind === 'list' && isArray(value)) return value.map((element) => visibleValue(element, field.of));
  return value;
}
