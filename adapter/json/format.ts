import { isArray, isNumber, isObject, type Json } from './tree.ts';

/** Writes a tree as JSON: numbers as they were read, keys in the map's order. */
export function formatJson(value: Json): string {
  if (isNumber(value)) return value.number;
  if (isArray(value)) return `[${value.map(formatJson).join(',')}]`;
  if (isObject(value)) {
    return `{${[...value].map(([key, member]) => `${JSON.stringify(key)}:${formatJson(member)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}
