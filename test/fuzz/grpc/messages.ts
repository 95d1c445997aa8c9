import { create, type DescField, type Message, ScalarType } from '@bufbuild/protobuf';
import fc from 'fast-check';
import type { RpcInput } from '../rpcs/rpcs.ts';

const json = (value: object) => new TextEncoder().encode(JSON.stringify(value));

/** In every value that is to stay on the host, and in no other. */
export const hostOnly = 'HOST-ONLY';
const secret = fc.constantFrom('', `${hostOnly} a`, `${hostOnly} \u0000é`, `${hostOnly}"\\`);

const stored = { status: 'AWS', payload: `${hostOnly} payload`, key: hostOnly };
const users = [
  { id: 7, username: 'alice', password: `${hostOnly} hash`, filters: { totp_config: { secret: stored } } },
  { id: 7, username: 'alice', filesystem: { s3config: { access_secret: stored, session_token: hostOnly } } },
  {
    id: 7,
    username: 'alice',
    field_of_tomorrow: hostOnly,
    filters: { recovery_codes: [{ secret: stored }] },
  },
  { id: 0, username: 'bob' },
  { id: 0 },
];
const oddUsers = [
  '',
  '{}',
  'null',
  '[]',
  '{"id":-1}',
  '{"id":"7"}',
  '{"id":7,"id":0}',
  '{"id":1e2}',
  '\ufeff{"id":7}',
  '{',
];

const text = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '',
      'alice',
      '/a/b',
      'SSH',
      'upload',
      's3://team',
      '192.0.2.7',
      '__proto__',
      'a\u0000b',
      '\u{1f600}',
    ),
  },
  // protobuf has no half of a surrogate pair
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }).map((value) => value.toWellFormed()) },
);
const int32 = fc.oneof(fc.constantFrom(0, 1, 2, 10, 1000, 1001, -1, 2 ** 31 - 1, -(2 ** 31)), fc.integer());
const int64 = fc.oneof(
  fc.constantFrom(0n, 1n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
const address = fc.constantFrom(
  '203.0.113.7',
  '2001:db8::7',
  '::ffff:192.0.2.1',
  'fe80::1%eth0',
  '10.0.0.1',
  'x',
  '',
);

/** Fields whose value decides whether a call goes on at all, or must not leave the host. */
const special: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  user: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...users.map(json)) },
    { weight: 1, arbitrary: fc.constantFrom(...oddUsers.map((value) => new TextEncoder().encode(value))) },
  ),
  masterKey: secret,
  additionalData: secret,
  ip: address,
  limit: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 1000 }) },
    { weight: 1, arbitrary: int32 },
  ),
  step: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: int32 }),
};
const specialOf: Readonly<Record<string, Readonly<Record<string, fc.Arbitrary<unknown>>>>> = {
  Encrypt: { payload: secret },
  Decrypt: { key: fc.constantFrom('', 'a'.repeat(64), 'x'), payload: fc.constantFrom('c2VhbGVk', 'x', '') },
  SendKeyboardAuthRequest: { password: secret },
};

function scalar(type: ScalarType): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return text;
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 20 });
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.INT32:
      return int32;
    case ScalarType.INT64:
      return int64;
    default:
      throw new Error(`no values of ${ScalarType[type]}`);
  }
}

function valuesOf(field: DescField): fc.Arbitrary<unknown> {
  switch (field.fieldKind) {
    case 'scalar':
      return scalar(field.scalar);
    case 'enum':
      return fc.constantFrom(0, 1, 7, -1);
    case 'list':
      return fc.array(field.listKind === 'scalar' ? scalar(field.scalar) : fc.nat(), { maxLength: 3 });
    case 'map':
      return fc.dictionary(text, field.mapKind === 'scalar' ? scalar(field.scalar) : fc.nat(), {
        maxKeys: 3,
      });
    case 'message':
      throw new Error('no messages within messages');
  }
}

/** Any message that an RPC can be given. */
export function messageOf({ method }: RpcInput): fc.Arbitrary<Message> {
  const own = specialOf[method.name] ?? {};
  const fields = method.input.fields.map((field) => [
    field.localName,
    own[field.localName] ?? special[field.localName] ?? valuesOf(field),
  ]);
  return fc.record(Object.fromEntries(fields)).map((init) => create(method.input, init));
}
