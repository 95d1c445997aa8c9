import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatJson } from '../../adapter/json/format.ts';
import { parseJson } from '../../adapter/json/parse.ts';
import { isArray, isObject, type Json, type JsonObject } from '../../adapter/json/tree.ts';
import { asGoReads } from '../../adapter/policies/auth/changes.ts';
import { checkShape } from '../../adapter/policies/auth/check-shape.ts';
import { authSection, nameableFields } from '../../adapter/policies/auth/config.ts';
import { resolveGrant } from '../../adapter/policies/auth/resolve-grant.ts';
import { type Field, type Fields, pathsWith, userFields } from '../../adapter/policies/auth/user-fields.ts';
import { PluginError } from '../../proto/error.ts';
import { buildHost, whyNoGo } from './build.ts';
import { type GoHost, startHost } from './driver.ts';

const skipped = whyNoGo();

/** As SFTPGo sends a user it knows; every field that is never granted differs from its zero or could be changed. */
const record = {
  id: 7,
  status: 1,
  username: 'alice',
  password: '$2a$10$hash',
  public_keys: ['ssh-ed25519 STORED'],
  home_dir: '/srv/sftp/alice',
  permissions: { '/': ['list'] },
  last_login: 1_697_040_000_123,
  role: 'ward',
  filters: {
    hooks: { external_auth_disabled: false, pre_login_disabled: true },
    user_type: 'LDAPUser',
    totp_config: { enabled: true, secret: { status: 'AWS', payload: 'TOTP' } },
  },
  filesystem: { provider: 1, s3config: { bucket: 'a', access_secret: { status: 'AWS', payload: 'S3' } } },
};

/** All that a configuration can give. */
const { ceiling } = authSection.parse({
  use: 'team',
  ceiling: {
    ...{
      homes: ['/srv'],
      permissions: ['*'],
      buckets: ['*'],
      groups: ['*'],
      folders: ['*'],
      fields: nameableFields,
    },
    providers: ['local', 's3', 'gcs', 'azblob', 'crypt', 'sftp', 'http'],
  },
});

/** What the host would get for an answer; undefined when it is refused. */
function resolve(text: string, grant: 'merge' | 'replace'): string | undefined {
  const known = parseJson(JSON.stringify(record)) as JsonObject;
  const context = { username: 'alice', record: known, isNew: false, offered: {}, ceiling };
  try {
    return new TextDecoder().decode(resolveGrant(grant, new TextEncoder().encode(text), context));
  } catch (error) {
    if (error instanceof PluginError) return undefined;
    throw error;
  }
}

/** A tree without keys that SFTPGo's SDK does not have: Go skips them. */
function knownOnly(value: Json, field: Field): Json {
  if (field.kind === 'list' && isArray(value)) return value.map((element) => knownOnly(element, field.of));
  if (field.kind !== 'object' || !isObject(value)) return value;
  return new Map(
    [...value].flatMap(([key, member]): [string, Json][] => {
      const inner = Object.hasOwn(field.fields, key) ? field.fields[key] : undefined;
      return inner === undefined ? [] : [[key, knownOnly(member, inner)]];
    }),
  );
}

const user: Field = { kind: 'object', rule: 'named', fields: userFields };

/** A user as plain values without zeros, in which two readings can be compared; -0 is 0. */
function comparable(tree: Json): unknown {
  const plain = (value: Json | undefined): unknown => {
    if (isArray(value)) return value.map(plain);
    if (!isObject(value)) return typeof value === 'object' && value ? Number(formatJson(value)) + 0 : value;
    return Object.fromEntries([...value].map(([key, member]) => [key, plain(member)]));
  };
  return plain(asGoReads(knownOnly(tree, user), user));
}

describe.skipIf(skipped)(`answers of an auth plugin, as Go reads them ${skipped ?? ''}`, () => {
  let host: GoHost;

  beforeAll(async () => {
    host = startHost(await buildHost('new'));
  });
  afterAll(async () => {
    await host.close();
  });

  /** What Go reads; undefined where it refuses. */
  async function go(text: string): Promise<unknown> {
    const read = await host.user(text).catch((error: unknown) => String(error));
    return typeof read === 'string' ? undefined : comparable(parseJson(JSON.stringify(read)));
  }

  test.each([
    [
      'another case',
      '{"username":"alice","Username":"admin","HOME_DIR":"/srv"}',
      { username: 'admin', home_dir: '/srv' },
    ],
    ['the long s', '{"username":"alice","u\u017fername":"admin"}', { username: 'admin' }],
    [
      'the Kelvin sign',
      '{"filters":{"hoo\u212as":{"pre_login_disabled":true}}}',
      { filters: { hooks: { pre_login_disabled: true } } },
    ],
    ['an escaped letter', '{"username":"alice","\\u0055sername":"admin"}', { username: 'admin' }],
    [
      'a key twice',
      '{"status":1,"home_dir":"/srv/a","home_dir":"/srv/b"}',
      { status: 1, home_dir: '/srv/b' },
    ],
    [
      'an object twice, merged by Go',
      '{"filters":{"hooks":{"external_auth_disabled":true}},"filters":{}}',
      { filters: { hooks: { external_auth_disabled: true } } },
    ],
    [
      'a map twice, merged by Go',
      '{"permissions":{"/a":["*"]},"permissions":{"/":["list"]}}',
      { permissions: { '/a': ['*'], '/': ['list'] } },
    ],
    ['half a surrogate pair', '{"home_dir":"/srv/\\ud800"}', { home_dir: '/srv/\ufffd' }],
  ])('%s is refused, which Go would read its own way', async (_, text, asGo) => {
    expect(await go(text)).toEqual(asGo);
    expect([resolve(text, 'merge'), resolve(text, 'replace')]).toEqual([undefined, undefined]);
  });

  test.each([
    '{"quota_size":1e2}',
    '{"quota_size":1.0}',
    '{"quota_size":9223372036854775808}',
    '{"quota_size":"1"}',
    '{"permissions":{"/":"list"}}',
    '{"groups":{"name":"a"}}',
    '{"filters":{"is_anonymous":0}}',
    '{"status":1}}',
  ])('what Go refuses is refused: %s', async (text) => {
    expect(await go(text)).toBeUndefined();
    expect([resolve(text, 'merge'), resolve(text, 'replace')]).toEqual([undefined, undefined]);
  });

  test('what passes the strict reading, Go reads as the same tree: as it came and as it was written anew', async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(userText, async (text) => {
        let tree: Json;
        try {
          tree = parseJson(text);
          if (!isObject(tree)) return;
          checkShape(tree);
        } catch {
          return;
        }
        accepted += 1;
        expect(await go(formatJson(tree))).toEqual(comparable(tree));
        expect(await go(text)).toEqual(comparable(tree));
      }),
      { numRuns: 4000 },
    );
    expect(accepted).toBeGreaterThan(200);
  });

  test('by Go’s reading, no answer changes what is never granted', async () => {
    const never = [...pathsWith(new Set(['host'])), 'public_keys', 'filters.tls_certs'];
    const at = (value: unknown, path: string) =>
      path.split('.').reduce((inner, key) => Object(inner)[key] as unknown, value);
    const before = await go(JSON.stringify(record));
    let granted = 0;
    await fc.assert(
      fc.asyncProperty(
        userText,
        fc.constantFrom('merge' as const, 'replace' as const),
        async (text, grant) => {
          const answer = resolve(text, grant);
          if (answer === undefined) return;
          granted += 1;
          const after = await go(answer);
          const key = (value: unknown) => never.map((path) => [path, at(value, path)]);
          // a stored key may go, none may come
          expect(['public_keys', undefined]).toContain(differs(key(before), key(after)));
        },
      ),
      { numRuns: 4000 },
    );
    expect(granted).toBeGreaterThan(50);
  });
});

/** The first path whose value differs and is not merely gone. */
function differs(before: unknown[][], after: unknown[][]): unknown {
  const index = before.findIndex(([, value], at) => JSON.stringify(value) !== JSON.stringify(after[at]?.[1]));
  if (index < 0) return undefined;
  const [path, value] = after[index] ?? [];
  return path === 'public_keys' && value !== undefined ? 'a public key that was added' : path;
}

const oddText = fc.constantFrom(
  'null',
  '""',
  '0',
  '-0',
  '1e2',
  '1.0',
  '{}',
  '[]',
  '[null]',
  '"\\ud800"',
  'true',
  '"\\u0000"',
);

/** Texts of users: mostly of the right shape, with keys and values that parsers are known to differ on. */
const userText = textOf(user, 0);

function textOf(field: Field, depth: number): fc.Arbitrary<string> {
  return fc.oneof({ weight: 40, arbitrary: rightText(field, depth) }, { weight: 1, arbitrary: oddText });
}

function rightText(field: Field, depth: number): fc.Arbitrary<string> {
  switch (field.kind) {
    case 'text':
      return fc.constantFrom(
        '""',
        '"alice"',
        '"admin"',
        '"/srv/sftp/a"',
        '"team-a"',
        '"\\ud83d\\ude00"',
        '"<&>\\u2028"',
      );
    case 'flag':
      return fc.constantFrom('true', 'false');
    case 'int':
      return fc.constantFrom(
        '0',
        '1',
        '2',
        '7',
        '-1',
        '9007199254740993',
        '9223372036854775807',
        '9223372036854775808',
      );
    case 'any':
      return fc.constantFrom('{}', '{"a":1}', 'null');
    case 'list':
      return fc.array(textOf(field.of, depth + 1), { maxLength: 2 }).map((values) => `[${values.join(',')}]`);
    case 'map':
      return members(fc.constantFrom('/', '/a', '/A', '/\u017f'), () => textOf(field.of, depth + 1), 3);
    case 'object':
      return members(
        keyOf(field.fields),
        (key) => textOf(fieldLike(field.fields, key), depth + 1),
        depth === 0 ? 6 : 3,
      );
  }
}

/** An object of a few members; the same key may come twice. */
function members(
  keys: fc.Arbitrary<string>,
  value: (key: string) => fc.Arbitrary<string>,
  maxLength: number,
) {
  const member = keys.chain((key) => value(key).map((text) => `${JSON.stringify(key)}:${text}`));
  return fc
    .array(member, { minLength: maxLength > 3 ? 1 : 0, maxLength })
    .map((list) => `{${list.join(',')}}`);
}

/** A field's name, now and then spelled as only Go would take it, or of no field. */
function keyOf(fields: Fields): fc.Arbitrary<string> {
  const name = fc.constantFrom(...Object.keys(fields));
  return fc.oneof(
    { weight: 60, arbitrary: name },
    { weight: 1, arbitrary: name.map((text) => text.toUpperCase()) },
    { weight: 1, arbitrary: name.map((text) => text.replace('s', '\u017f').replace('k', '\u212a')) },
    { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', 'is_admin', '\u0130d', '') },
  );
}

function fieldLike(fields: Fields, key: string): Field {
  const name = Object.keys(fields).find((known) => known.toLowerCase() === key.toLowerCase());
  return fields[name ?? ''] ?? { kind: 'any', rule: 'host' };
}
