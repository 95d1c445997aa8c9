import { expect, test } from 'vitest';
import { decodeJson, encodeJson } from './codec.ts';
import {
  authResponseTable,
  checkIPRequestTable,
  decryptRequestTable,
  emptyTable,
  fsEventsFilterOrder,
  fsEventsFilterTable,
  fsEventTable,
  getModificationTimesResponseTable,
  keyboardAuthResponseTable,
  setModificationTimeRequestTable,
} from './gen/wire.ts';

const invalid = (path: string, expected: string) =>
  expect.objectContaining({ code: 'INPUT_INVALID', happened: `${path} is not valid`, expected });

test('absent and null fields have their default', () => {
  expect(decodeJson(checkIPRequestTable, { ip: '192.0.2.1', protocol: null })).toEqual({
    ip: '192.0.2.1',
    protocol: '',
  });
  expect(decodeJson(keyboardAuthResponseTable, {})).toEqual({
    instructions: '',
    questions: [],
    echos: [],
    authResult: 0,
    checkPassword: 0,
  });
  expect(decodeJson(fsEventsFilterTable, { order: null }).order).toBe(0);
  expect(decodeJson(fsEventTable, { metadata: null })).toMatchObject({ metadata: {}, timestamp: 0n });
  expect(decodeJson(authResponseTable, {}).user).toEqual(new Uint8Array());
});

test('defaults are not written', () => {
  const nothing = { instructions: '', questions: [], echos: [], authResult: 0, checkPassword: -0 };
  expect(encodeJson(keyboardAuthResponseTable, nothing)).toEqual({});
  expect(encodeJson(setModificationTimeRequestTable, { modificationTime: 0n, storageId: '0' })).toEqual({
    storageId: '0',
  });
  expect(encodeJson(authResponseTable, { user: new Uint8Array() })).toEqual({});
  expect(encodeJson(fsEventTable, { metadata: {} })).toEqual({});
});

test('a false or an empty text in a list is written', () => {
  expect(encodeJson(keyboardAuthResponseTable, { questions: [''], echos: [false] })).toEqual({
    questions: [''],
    echos: [false],
  });
});

test('fields are read under the name of the .proto file too, but not under both', () => {
  expect(decodeJson(fsEventTable, { fs_path: '/a' }).fsPath).toBe('/a');
  expect(() => decodeJson(fsEventTable, { fs_path: '/a', fsPath: '/a' })).toThrow(
    invalid('proto.FsEvent.fsPath', 'one of its two names, not both'),
  );
});

test('unknown fields are ignored when read', () => {
  const json: unknown = JSON.parse('{"ip":"::1","zone":1,"__proto__":{"protocol":"SSH"},"toString":2}');
  expect(decodeJson(checkIPRequestTable, json)).toEqual({ ip: '::1', protocol: '' });
});

test('a name that is no field is refused when written: an empty auth answer would let a user in', () => {
  const mistyped: object = { usr: new Uint8Array([1]) };
  expect(() => encodeJson(authResponseTable, mistyped)).toThrow(
    invalid('proto.AuthResponse', 'only the fields user'),
  );
  const surplus: Record<string, never> = JSON.parse('{"allow":true}');
  expect(() => encodeJson(emptyTable, surplus)).toThrow(invalid('google.protobuf.Empty', 'no field'));
});

test('an int64 keeps every digit', () => {
  const json = { modificationTime: '1697040000123456789' };
  const message = decodeJson(setModificationTimeRequestTable, json);
  expect(message.modificationTime).toBe(1_697_040_000_123_456_789n);
  expect(encodeJson(setModificationTimeRequestTable, message)).toEqual(json);
});

test.for([
  2 ** 53,
  -(2 ** 53),
  1.5,
  1e300,
  '9223372036854775808',
  '-9223372036854775809',
  '01',
  '+1',
  ' 1',
  '1e3',
  '1.0',
  '',
  true,
  '9'.repeat(100_000),
])('no int64: %j', (modificationTime) => {
  expect(() => decodeJson(setModificationTimeRequestTable, { modificationTime })).toThrow(
    invalid('proto.SetModificationTimeRequest.modificationTime', 'an int64, as a decimal string'),
  );
});

test('an int64 to write is a bigint in range', () => {
  expect(() => encodeJson(setModificationTimeRequestTable, { modificationTime: 2n ** 63n })).toThrow(
    invalid('proto.SetModificationTimeRequest.modificationTime', 'a bigint of at most 64 bits'),
  );
  const number: object = { modificationTime: 1 };
  expect(() => encodeJson(setModificationTimeRequestTable, number)).toThrow(/a bigint/);
});

test.for([2_147_483_648, -2_147_483_649, 0.5, '2147483648', '1.0', '0x10', [], 'ASC'])(
  'no int32: %j',
  (mode) => {
    expect(() => decodeJson(decryptRequestTable, { mode })).toThrow(
      invalid('proto.DecryptRequest.mode', 'an int32'),
    );
  },
);

test.for([2_147_483_648, -2_147_483_649, 0.5, Number.NaN, Number.POSITIVE_INFINITY])(
  'no int32 to write: %j',
  (mode) => {
    expect(() => encodeJson(decryptRequestTable, { mode })).toThrow(
      invalid('proto.DecryptRequest.mode', 'an int32'),
    );
  },
);

test('minus zero is zero', () => {
  expect(Object.is(decodeJson(decryptRequestTable, { mode: -0 }).mode, 0)).toBe(true);
  expect(Object.is(decodeJson(decryptRequestTable, { mode: '-0' }).mode, 0)).toBe(true);
});

test('bytes are canonical base64', () => {
  const user = new Uint8Array([0xfb, 0xff, 0xfe, 0]);
  expect(encodeJson(authResponseTable, { user })).toEqual({ user: '+//+AA==' });
  expect(decodeJson(authResponseTable, { user: '+//+AA==' })).toEqual({ user });
});

test.for(['-__-AA==', '+//+AA', '+//+AA=', '+//+AB==', '+//+ AA==', '+//+AA==\n', '=', 'ä', 1, [0]])(
  'no bytes: %j',
  (user) => {
    expect(() => decodeJson(authResponseTable, { user })).toThrow(
      invalid('proto.AuthResponse.user', 'canonical base64'),
    );
  },
);

test('text with half a character is refused both ways', () => {
  const expected = invalid('proto.CheckIPRequest.ip', 'well-formed Unicode text');
  expect(() => decodeJson(checkIPRequestTable, { ip: 'a\ud800' })).toThrow(expected);
  expect(() => encodeJson(checkIPRequestTable, { ip: '\udc00' })).toThrow(expected);
  expect(() => encodeJson(fsEventTable, { metadata: { '\ud800': '' } })).toThrow(/proto\.FsEvent\.metadata/);
});

test('an enum is written by name and read by name or number', () => {
  expect(encodeJson(fsEventsFilterTable, { order: fsEventsFilterOrder.ASC })).toEqual({ order: 'ASC' });
  expect(decodeJson(fsEventsFilterTable, { order: 'ASC' }).order).toBe(1);
  expect(decodeJson(fsEventsFilterTable, { order: 1 }).order).toBe(1);
  expect(decodeJson(fsEventsFilterTable, { order: 7 }).order).toBe(7);
  expect(encodeJson(fsEventsFilterTable, { order: 7 })).toEqual({ order: 7 });
  for (const order of ['asc', 'toString', '1', true]) {
    expect(() => decodeJson(fsEventsFilterTable, { order })).toThrow(/proto\.FsEventsFilter\.order/);
  }
});

test('a file may be called __proto__', () => {
  const json: unknown = JSON.parse('{"pairs":{"__proto__":"5","10":"1","2":"9223372036854775807"}}');
  const { pairs } = decodeJson(getModificationTimesResponseTable, json);
  expect(Object.entries(pairs)).toEqual([
    ['2', 2n ** 63n - 1n],
    ['10', 1n],
    ['__proto__', 5n],
  ]);
  expect(Object.getPrototypeOf(pairs)).toBe(Object.prototype);
  expect(JSON.stringify(encodeJson(getModificationTimesResponseTable, { pairs }))).toBe(
    '{"pairs":{"2":"9223372036854775807","10":"1","__proto__":"5"}}',
  );
});

test.for([
  [{ questions: 'a' }, 'proto.KeyboardAuthResponse.questions'],
  [{ questions: ['a', null] }, 'proto.KeyboardAuthResponse.questions[1]'],
  [{ echos: [true, 'true'] }, 'proto.KeyboardAuthResponse.echos[1]'],
  [{ instructions: 1 }, 'proto.KeyboardAuthResponse.instructions'],
  [null, 'proto.KeyboardAuthResponse'],
  [[], 'proto.KeyboardAuthResponse'],
  ['{}', 'proto.KeyboardAuthResponse'],
] as const)('%j is refused by the place', ([json, path]) => {
  expect(() => decodeJson(keyboardAuthResponseTable, json)).toThrow(
    expect.objectContaining({ happened: `${path} is not valid` }),
  );
});

test('a map takes an object of well-typed values', () => {
  for (const pairs of [[], { a: null }, { a: {} }, 'a']) {
    expect(() => decodeJson(getModificationTimesResponseTable, { pairs })).toThrow(/\.pairs/);
  }
});

test('no value and no map key gets into a message', () => {
  const secret = 'hunter2\ud800';
  const failures = [
    () => decodeJson(fsEventTable, { metadata: { [secret]: 'x' } }),
    () => decodeJson(fsEventTable, { metadata: { hunter2: 1 } }),
    () => decodeJson(decryptRequestTable, { masterKey: secret }),
    () => decodeJson(decryptRequestTable, { mode: 'hunter2' }),
    () => encodeJson(decryptRequestTable, { masterKey: secret }),
    () => encodeJson(fsEventTable, { metadata: { [secret]: 'x' } }),
  ];
  for (const failure of failures) {
    expect(failure).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hunter2') }));
  }
});
