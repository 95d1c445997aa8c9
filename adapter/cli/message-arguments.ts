import { type DescMessage, fromJson, type JsonValue, type Message, ScalarType } from '@bufbuild/protobuf';
import { PluginError } from '../../proto/error.ts';
import { nearest } from '../config/nearest.ts';

/** Text itself, and 64-bit numbers: JSON.parse would round them, proto3 JSON writes them as text. */
const takenAsText: ReadonlySet<ScalarType> = new Set([
  ScalarType.STRING,
  ScalarType.INT64,
  ScalarType.UINT64,
  ScalarType.SINT64,
  ScalarType.FIXED64,
  ScalarType.SFIXED64,
]);

/**
 * A message out of `key=value` words, as `ip=203.0.113.7 protocol=SSH`. Values of text fields and 64-bit
 * numbers are taken as they are; those of other fields are JSON. Throws INPUT_INVALID naming the word's key, never its value.
 */
export function messageFromArguments(schema: DescMessage, words: readonly string[]): Message {
  const json: Record<string, JsonValue> = {};
  const names = schema.fields.map(({ name }) => name);
  for (const word of words) {
    const [key = '', ...rest] = word.split('=');
    const field = schema.fields.find(({ name, jsonName }) => name === key || jsonName === key);
    if (field !== undefined && rest.length === 0) {
      throw new PluginError('INPUT_INVALID', {
        happened: `"${key}" has no value`,
        expected: `${key}=value`,
        remedy: 'Add it; an empty one is written as an equals sign alone.',
      });
    }
    if (field === undefined) {
      const suggestion = nearest(key, names);
      throw new PluginError('INPUT_INVALID', {
        happened: `${schema.name} has no field "${key}"`,
        expected: names.length === 0 ? 'no fields at all' : `key=value with one of ${names.join(', ')}`,
        remedy: suggestion === undefined ? 'Correct it.' : `Did you mean "${suggestion}"?`,
      });
    }
    const value = rest.join('=');
    const asText = field.fieldKind === 'scalar' && takenAsText.has(field.scalar);
    json[field.name] = asText ? value : jsonOf(key, value);
  }
  try {
    return fromJson(schema, json);
  } catch (cause) {
    throw new PluginError('INPUT_INVALID', {
      happened: `the fields are no ${schema.name}`,
      expected: 'values of the types in docs/sftpgo.md',
      remedy: 'Correct them.',
      cause,
    });
  }
}

function jsonOf(key: string, value: string): JsonValue {
  try {
    return JSON.parse(value);
  } catch (cause) {
    throw new PluginError('INPUT_INVALID', {
      happened: `the value of "${key}" is not JSON`,
      expected: 'JSON for a field that is not text: 5, true, ["a"]',
      remedy: 'Quote it for the shell.',
      cause,
    });
  }
}
