import {
  create,
  type DescField,
  type DescMessage,
  fromJson,
  type JsonValue,
  ScalarType,
  toJson,
} from '@bufbuild/protobuf';
import { EmptySchema } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from 'vitest';
import { decodeJson, encodeJson, type MessageTable, type MethodTable } from './codec.ts';
import { PluginError } from './error.ts';
import { Bans } from './gen/bans/bans_pb.ts';
import * as wire from './gen/wire.ts';
import { pluginTypes } from './plugin-types.ts';

const runs = 10_000;
const malformedRuns = 1_000;

const tables = new Map<string, MessageTable>(
  Object.values(wire).flatMap((value) => ('fields' in value ? [[value.typeName, value]] : [])),
);
const services = [...Object.values(pluginTypes).map(({ service }) => service), Bans];
const schemas: DescMessage[] = [...services.flatMap(({ file }) => file.messages), EmptySchema];

describe('against protobuf-es', () => {
  test('every message of the services has a table', () => {
    expect([...tables.keys()].sort()).toEqual(schemas.map((schema) => schema.typeName).sort());
  });

  test('every RPC of the services is there with its path and messages', () => {
    const described = services.flatMap((service) =>
      service.methods.map((rpc) => [
        service.typeName,
        rpc.localName,
        rpc.name,
        rpc.input.typeName,
        rpc.output.typeName,
      ]),
    );
    const listed = Object.values(wire).flatMap((value) =>
      'methods' in value
        ? Object.entries<MethodTable>(value.methods).map(([localName, rpc]) => [
            value.typeName,
            localName,
            rpc.name,
            rpc.input.typeName,
            rpc.output.typeName,
          ])
        : [],
    );
    expect(listed.sort()).toEqual(described.sort());
  });

  test.for(schemas.map((schema) => [schema.typeName, schema] as const))('%s', ([typeName, schema]) => {
    const table = tableOf(typeName);
    const random = randomFrom(typeName);
    for (let run = 0; run < runs; run++) {
      const message = randomMessage(schema, random);
      const text = JSON.stringify(toJson(schema, message));
      const decoded = decodeJson(table, JSON.parse(text));
      const difference = differs(schema, decoded, message);
      if (difference) expect.fail(`run ${run}: ${difference} is decoded otherwise from ${text}`);
      const encoded = JSON.stringify(encodeJson(table, decoded));
      if (encoded !== text) expect.fail(`run ${run}: ${encoded} instead of ${text}`);
      const back = fromJson(schema, JSON.parse(encoded));
      const lost = differs(schema, decoded, back);
      if (lost) expect.fail(`run ${run}: protobuf-es reads ${lost} otherwise from ${encoded}`);
    }
  });

  test.for(schemas.map((schema) => [schema.typeName, schema] as const))(
    '%s: nothing malformed is accepted that protobuf-es refuses or reads otherwise',
    ([typeName, schema]) => {
      const random = randomFrom(`malformed ${typeName}`);
      for (let run = 0; run < malformedRuns; run++) {
        const json = malformed(schema, random);
        const decoded = decodedOrRefused(tableOf(typeName), json);
        if (!decoded) continue;
        const difference = differs(schema, decoded, fromJson(schema, json, { ignoreUnknownFields: true }));
        if (difference) expect.fail(`run ${run}: ${difference} of ${JSON.stringify(json)}`);
      }
    },
  );
});

function tableOf(typeName: string): MessageTable {
  return tables.get(typeName) ?? expect.fail(`${typeName} has no table`);
}

function decodedOrRefused(table: MessageTable, json: unknown): object | undefined {
  try {
    return decodeJson(table, json);
  } catch (error) {
    expect(error).toBeInstanceOf(PluginError);
    return undefined;
  }
}

/** Returns the name of the first field that differs, bytes and bigint compared by value. */
function differs(schema: DescMessage, a: object, b: object): string | undefined {
  const different = schema.fields.find(
    ({ localName }) => !same(Reflect.get(a, localName), Reflect.get(b, localName)),
  );
  return different?.localName;
}

function same(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && same(Reflect.get(a, key), Reflect.get(b, key)))
  );
}

type Random = (below: number) => number;

/** mulberry32, seeded by a text: the same messages in every run. */
function randomFrom(seed: string): Random {
  let state = [...seed].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, 7);
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const texts = [
  '',
  'a',
  'SSH',
  '192.0.2.1',
  'ü\u0000\n"\\',
  '日本語',
  '😀\u{10ffff}',
  '\ufeff',
  '__proto__',
  'toString',
  '10',
  '2',
];
const int32s = [0, 1, -1, 7, 2_147_483_647, -2_147_483_648];
const int64s = [
  0n,
  1n,
  -1n,
  9_007_199_254_740_993n,
  1_697_040_000_123_456_789n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];

function pick<T>(from: readonly T[], random: Random): T {
  const [picked] = from.slice(random(from.length));
  return picked === undefined ? expect.fail('nothing to pick from') : picked;
}

function randomMessage(schema: DescMessage, random: Random) {
  const fields = schema.fields.flatMap((field) => {
    if (random(4) === 0) return [];
    const size = random(4);
    if (field.fieldKind === 'list')
      return [[field.localName, Array.from({ length: size }, () => value(field, random))]];
    if (field.fieldKind !== 'map') return [[field.localName, value(field, random)]];
    const entries = Array.from({ length: size }, () => [pick(texts, random), value(field, random)]);
    return [[field.localName, Object.fromEntries(entries)]];
  });
  return create(schema, Object.fromEntries(fields));
}

function value(field: DescField, random: Random): unknown {
  if (field.enum) return pick([0, 0, 1, 1, 1, 2, -1], random);
  switch (field.scalar) {
    case ScalarType.STRING:
      return pick(texts, random) + (random(2) === 0 ? pick(texts, random) : '');
    case ScalarType.BYTES:
      return Uint8Array.from({ length: random(40) }, () => random(256));
    case ScalarType.BOOL:
      return random(2) === 0;
    case ScalarType.INT32:
      return random(2) === 0 ? pick(int32s, random) : random(2 ** 32) | 0;
    case ScalarType.INT64:
      return random(2) === 0
        ? pick(int64s, random)
        : BigInt.asIntN(64, BigInt(random(2 ** 32)) << BigInt(random(33)));
    default:
      return expect.fail(`no values for ${field}`);
  }
}

const junk: readonly JsonValue[] = [
  null,
  true,
  false,
  0,
  -0,
  1,
  1.5,
  1e3,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 53,
  1e300,
  '',
  ' ',
  '1',
  '01',
  '+1',
  '-0',
  '1.0',
  '1e2',
  '0x10',
  '9223372036854775808',
  '-9223372036854775808',
  'ASC',
  'asc',
  'QUJD',
  'QUI',
  'QUI=',
  'QUJ=',
  'QU-_',
  'QU+/',
  'Q UI=',
  'QUI=\n',
  '\ud800',
  'a\udc00',
  [],
  [null],
  ['a'],
  ['1'],
  [1],
  [true],
  [[]],
  {},
  { a: null },
  { a: 'b' },
  { a: '1' },
  { a: 1 },
  { '\ud800': '1' },
];

function malformed(schema: DescMessage, random: Random): JsonValue {
  if (random(50) === 0) return pick(junk, random);
  const entries = schema.fields.flatMap((field) => {
    const name = random(4) === 0 ? field.name : field.jsonName;
    if (random(3) === 0) return [];
    return [[name, pick(junk, random)], ...(random(20) === 0 ? [[field.name, pick(junk, random)]] : [])];
  });
  if (random(3) === 0) entries.push([pick(['unknown', '__proto__', 'constructor', 'toString'], random), 'x']);
  return Object.fromEntries(entries);
}
