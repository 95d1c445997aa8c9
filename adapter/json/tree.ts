/**
 * JSON without loss: numbers keep their text, objects are maps. A JavaScript object would round an int64 and treat
 * the key `__proto__` as something else.
 */
export type Json = null | boolean | string | JsonNumber | readonly Json[] | JsonObject;

/** A number as it was written. */
export interface JsonNumber {
  readonly number: string;
}

/** An object; its keys are unique by construction. */
export type JsonObject = ReadonlyMap<string, Json>;

/** Is this value an object? */
export function isObject(value: Json | undefined): value is JsonObject {
  return value instanceof Map;
}

/** Is this value an array? */
export function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** Is this value a number? */
export function isNumber(value: Json | undefined): value is JsonNumber {
  return typeof value === 'object' && value !== null && 'number' in value;
}

/** Do both values say the same, whatever the order of their keys? Numbers are compared by their text. */
export function equal(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (isNumber(a) && isNumber(b)) return a.number === b.number;
  if (isArray(a) && isArray(b)) return a.length === b.length && a.every((value, at) => equal(value, b[at]));
  if (isObject(a) && isObject(b)) {
    return a.size === b.size && [...a].every(([key, value]) => b.has(key) && equal(value, b.get(key)));
  }
  return false;
}
