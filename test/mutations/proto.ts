import type { Mutation } from './mutation.ts';

/** Mutations of the codec, the table of plugin types and the generated files. */
const rows: readonly (readonly [
  file: string,
  text: string,
  replacement: string,
  test: string,
  why: string,
])[] = [
  [
    'base64.ts',
    'if (btoa(binary) !== text) return undefined;',
    '',
    'base64.test.ts',
    'base64 with stray bits is read',
  ],
  [
    'codec.ts',
    'Number.isSafeInteger(integer)',
    'Number.isInteger(integer)',
    'codec.test.ts',
    'rounded integers are read',
  ],
  ['codec.ts', '&& text.isWellFormed()', '', 'codec.test.ts', 'lone surrogates are text'],
  [
    'codec.ts',
    'Object.keys(given).some((name) => !names.includes(name))',
    'false',
    'codec.test.ts',
    'a misspelt field of an answer is dropped in silence',
  ],
  [
    'codec.ts',
    'Object.hasOwn(json, jsonName) && Object.hasOwn(json, name)',
    'false',
    'codec.test.ts',
    'one field under two names is read',
  ],
  [
    'codec.ts',
    'Object.hasOwn(field.enum, json) ? field.enum[json] : undefined',
    'field.enum[json]',
    'codec.test.ts',
    'names of Object.prototype are enum values',
  ],
  [
    'codec.ts',
    "typeof value === 'bigint' && BigInt.asIntN(type === 'int32' ? 32 : 64, value) === value",
    "typeof value === 'bigint'",
    'codec.test.ts',
    'integers out of range are read',
  ],
  ['codec.ts', '/^-?(0|[1-9]\\d{0,18})$/', '/^-?\\d+$/', 'codec.test.ts', 'integers of any length are read'],
  [
    'codec.ts',
    '[wellFormed(key, path), encodeScalar',
    '[key, encodeScalar',
    'codec.test.ts',
    'lone surrogates are map keys',
  ],
  [
    'codec.ts',
    'return json === zeros[field] ? undefined : json;',
    'return json;',
    'codec-differential.slow.test.ts',
    'proto3 zero values are written',
  ],
  [
    'plugin-types.ts',
    "repeat: 'never', verdict: true",
    "repeat: 'free', verdict: true",
    'plugin-types.test.ts',
    'a login is sent twice',
  ],
  [
    'plugin-types.ts',
    "repeat: 'never', verdict: true",
    "repeat: 'never'",
    'plugin-types.test.ts',
    'a denied login looks like an outage',
  ],
  [
    'plugin-types.ts',
    "repeat: 'free', verdict: true",
    "repeat: 'free'",
    'plugin-types.test.ts',
    'a denied address looks like an outage',
  ],
  [
    'plugin-types.ts',
    "hostOnly: ['key', 'additional_data', 'mode', 'master_key']",
    "hostOnly: ['additional_data', 'mode', 'master_key']",
    'plugin-types.test.ts',
    'the key of a sealed box leaves the host',
  ],
  [
    'sftpgo/searcher.proto',
    'repeated string from_or_exclude_ids = 11',
    'string from_or_exclude_ids = 11',
    '../infra/generate/generate.test.ts',
    'generated files differ from their sources',
  ],
  [
    'gen/wire.ts',
    "    object_path: 'string',\n    modification_time: 'int64',",
    "    object_path: 'string',\n    modification_time: 'int32',",
    'codec-differential.slow.test.ts',
    "the functions' table differs from the descriptors",
  ],
];

export const mutations: readonly Mutation[] = rows.map(([file, text, replacement, test, why]) => ({
  file: `proto/${file}`,
  text,
  replacement,
  tests: [`proto/${test}`.replace('proto/../', '')],
  why,
}));
