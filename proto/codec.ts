import { decodeBase64, encodeBase64 } from './base64.ts';
import { PluginError } from './error.ts';

/** The scalar types that occur in SFTPGo's services. */
export type ScalarType = 'string' | 'bytes' | 'bool' | 'int32' | 'int64';

/** One field: a scalar, `[scalar]` for repeated, a map with string keys, or an enum's names and numbers. */
export type FieldTable =
  | ScalarType
  | readonly [ScalarType]
  | { readonly map: ScalarType }
  | { readonly enum: Readonly<Record<string, number>> };

declare const shape: unique symbol;

/** What the codec knows of a message; `T` is the TypeScript type of its values. Made by `npm run generate`. */
export interface MessageTable<T extends object = object> {
  /** Full name: `proto.CheckIPRequest`. */
  readonly typeName: string;
  /** By the name in the .proto file, in the order of field numbers; the JSON name is its lowerCamelCase. */
  readonly fields: Readonly<Record<string, FieldTable>>;
  readonly [shape]?: T;
}

/** One RPC. Its path is `/${service.typeName}/${name}`. */
export interface MethodTable {
  readonly name: string;
  readonly input: MessageTable;
  readonly output: MessageTable;
}

/** One service with its RPCs by their lowerCamelCase name. */
export interface ServiceTable {
  readonly typeName: string;
  readonly methods: Readonly<Record<string, MethodTable>>;
}

/** The TypeScript type of a table's values: `MessageOf<typeof checkIPRequestTable>` is `CheckIPRequest`. */
export type MessageOf<M extends MessageTable> = M extends MessageTable<infer T> ? T : never;

/** What a function receives for an RPC: every field present. */
export type InputOf<M extends MethodTable> = MessageOf<M['input']>;

/** What a function answers to an RPC; {@link encodeJson} also takes a part of it. */
export type OutputOf<M extends MethodTable> = MessageOf<M['output']>;

/** What JSON.stringify writes without loss. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/**
 * Reads a message from parsed JSON, by the proto3 JSON mapping (https://protobuf.dev/programming-guides/json/),
 * strictly where that leaves a choice: base64 in its one canonical form, integers in decimal without leading
 * zeros, an int64 given as a JSON number only up to 2^53 - 1. Fields are accepted under their JSON or .proto
 * name; absent and null ones become their default; unknown ones are ignored.
 *
 * @returns every field of the message, lowerCamelCase: int64 as bigint, bytes as Uint8Array, maps as plain objects
 * @throws PluginError INPUT_INVALID, naming the field and never its value
 *
 * ```ts
 * decodeJson(checkIPRequestTable, { ip: '192.0.2.1' }); // { ip: '192.0.2.1', protocol: '' }
 * ```
 */
export function decodeJson<T extends object>(table: MessageTable<T>, json: unknown): T {
  if (!isObject(json)) throw invalid(table.typeName, 'an object');
  const values = Object.entries(table.fields).map(([name, field]) => {
    const jsonName = lowerCamelCase(name);
    const path = `${table.typeName}.${jsonName}`;
    if (jsonName !== name && Object.hasOwn(json, jsonName) && Object.hasOwn(json, name)) {
      throw invalid(path, 'one of its two names, not both');
    }
    const key = Object.hasOwn(json, jsonName) ? jsonName : name;
    return [jsonName, decodeField(field, Object.hasOwn(json, key) ? json[key] : null, path)] as const;
  });
  // the generated tables tie their fields to T
  return Object.fromEntries(values) as T;
}

/**
 * Writes a message as a value for JSON.stringify, by the proto3 JSON mapping: lowerCamelCase names, int64 as a
 * decimal string, bytes as base64, enums by name, fields that have their default value left out.
 *
 * @param message absent fields count as their default
 * @throws PluginError INPUT_INVALID for a value of the wrong type or range, a lone surrogate, or a name that is no
 *   field of the message; it names the field and never its value
 *
 * ```ts
 * encodeJson(getModificationTimeResponseTable, { modificationTime: 1697040000123n }); // { modificationTime: '1697040000123' }
 * ```
 */
export function encodeJson<T extends object>(
  table: MessageTable<T>,
  message: Readonly<Partial<NoInfer<T>>>,
): { readonly [name: string]: JsonValue } {
  const given: unknown = message;
  if (!isObject(given)) throw invalid(table.typeName, 'an object');
  const names = Object.keys(table.fields).map(lowerCamelCase);
  if (Object.keys(given).some((name) => !names.includes(name))) {
    throw invalid(table.typeName, names.length > 0 ? `only the fields ${names.join(', ')}` : 'no field');
  }
  const values = Object.values(table.fields).flatMap((field, index) => {
    const name = names[index] ?? '';
    const json = encodeField(field, given[name], `${table.typeName}.${name}`);
    return json === undefined ? [] : [[name, json] as const];
  });
  return Object.fromEntries(values);
}

function decodeField(field: FieldTable, json: unknown, path: string): unknown {
  if (typeof field === 'string') return decodeScalar(field, json ?? zeros[field], path);
  if (isList(field)) {
    if (json === null) return [];
    if (!Array.isArray(json)) throw invalid(path, 'an array');
    return json.map((item, index) => decodeScalar(field[0], item, `${path}[${index}]`));
  }
  if ('map' in field) {
    if (json === null) return {};
    if (!isObject(json)) throw invalid(path, 'an object');
    // fromEntries, not assignment: `__proto__` is a key like any other
    return Object.fromEntries(
      Object.entries(json).map(([key, item]) => [
        wellFormed(key, path),
        decodeScalar(field.map, item, `${path}[…]`),
      ]),
    );
  }
  if (json === null) return 0;
  if (typeof json !== 'string') return decodeScalar('int32', json, path);
  const number = Object.hasOwn(field.enum, json) ? field.enum[json] : undefined;
  if (number === undefined) throw invalid(path, `a number or one of ${Object.keys(field.enum).join(', ')}`);
  return number;
}

function encodeField(field: FieldTable, value: unknown, path: string): JsonValue | undefined {
  if (value === undefined) return undefined;
  if (typeof field === 'string') {
    const json = encodeScalar(field, value, path);
    return json === zeros[field] ? undefined : json;
  }
  if (isList(field)) {
    if (!Array.isArray(value)) throw invalid(path, 'an array');
    const items = Array.from(value, (item: unknown, index) =>
      encodeScalar(field[0], item, `${path}[${index}]`),
    );
    return items.length > 0 ? items : undefined;
  }
  if ('map' in field) {
    if (!isObject(value)) throw invalid(path, 'an object');
    const entries = Object.entries(value).map(
      ([key, item]) => [wellFormed(key, path), encodeScalar(field.map, item, `${path}[…]`)] as const,
    );
    return entries.length > 0 ? Object.fromEntries(entries) : undefined;
  }
  const number = encodeScalar('int32', value, path);
  if (number === 0) return undefined;
  return Object.keys(field.enum).find((name) => field.enum[name] === number) ?? number;
}

/** The defaults as JSON. */
const zeros = { string: '', bytes: '', bool: false, int32: 0, int64: '0' } as const satisfies {
  [S in ScalarType]: JsonValue;
};

function decodeScalar(type: ScalarType, json: unknown, path: string): unknown {
  switch (type) {
    case 'string':
      return wellFormed(json, path);
    case 'bytes':
      return (typeof json === 'string' ? decodeBase64(json) : undefined) ?? refuse(path, 'canonical base64');
    case 'bool':
      return typeof json === 'boolean' ? json : refuse(path, 'true or false');
    default: {
      const integer = typeof json === 'string' && /^-?(0|[1-9]\d{0,18})$/.test(json) ? BigInt(json) : json;
      const exact = typeof integer === 'number' && Number.isSafeInteger(integer) ? BigInt(integer) : integer;
      if (!fits(type, exact))
        throw invalid(path, type === 'int32' ? 'an int32' : 'an int64, as a decimal string');
      return type === 'int32' ? Number(exact) : exact;
    }
  }
}

function encodeScalar(type: ScalarType, value: unknown, path: string): JsonValue {
  switch (type) {
    case 'string':
      return wellFormed(value, path);
    case 'bytes':
      return value instanceof Uint8Array ? encodeBase64(value) : refuse(path, 'a Uint8Array');
    case 'bool':
      return typeof value === 'boolean' ? value : refuse(path, 'true or false');
    case 'int32':
      if (!Number.isInteger(value) || !fits(type, BigInt(Number(value)))) throw invalid(path, 'an int32');
      return Number(value);
    case 'int64':
      return fits(type, value) ? value.toString() : refuse(path, 'a bigint of at most 64 bits');
  }
}

function fits(type: 'int32' | 'int64', value: unknown): value is bigint {
  return typeof value === 'bigint' && BigInt.asIntN(type === 'int32' ? 32 : 64, value) === value;
}

function wellFormed(text: unknown, path: string): string {
  return typeof text === 'string' && text.isWellFormed() ? text : refuse(path, 'well-formed Unicode text');
}

function isList(field: Exclude<FieldTable, string>): field is readonly [ScalarType] {
  return Array.isArray(field);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function lowerCamelCase(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

function refuse(path: string, expected: string): never {
  throw invalid(path, expected);
}

function invalid(path: string, expected: string): PluginError {
  return new PluginError('INPUT_INVALID', {
    happened: `${path} is not valid`,
    expected,
    remedy: 'See the proto3 JSON mapping, https://protobuf.dev/programming-guides/json/.',
  });
}
