import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson } from '../../adapter/json/parse.ts';
import { isObject } from '../../adapter/json/tree.ts';
import { authSection } from '../../adapter/policies/auth/config.ts';
import { resolveGrant } from '../../adapter/policies/auth/resolve-grant.ts';
import { PluginError } from '../../proto/error.ts';
import { damaged, limitMs, parameters } from './runs.ts';

/** As SFTPGo sends a user it knows. */
const host = {
  id: 7,
  status: 1,
  username: 'alice',
  password: '$2a$10$hash',
  public_keys: ['ssh-ed25519 STORED alice@home'],
  home_dir: '/srv/sftp/alice',
  permissions: { '/': ['list'] },
  role: '',
  groups: [{ name: 'staff', type: 1 }],
  filters: {
    hooks: { external_auth_disabled: false },
    totp_config: { enabled: true, secret: { status: 'Secretbox', payload: 'TOTP' } },
    recovery_codes: [{ secret: { status: 'Secretbox', payload: 'CODE' } }],
    user_type: 'LDAPUser',
  },
  filesystem: {
    provider: 1,
    s3config: { bucket: 'team-a', access_secret: { status: 'AWS', payload: 'S3' } },
  },
};
const hostText = JSON.stringify(host);
const ceiling = authSection.parse({
  use: 'team',
  ceiling: {
    homes: ['/srv/sftp'],
    permissions: ['list', 'download'],
    providers: ['local', 's3'],
    buckets: ['team-*'],
    groups: ['team-*', 'staff'],
  },
}).ceiling;
/** Never granted, whatever the ceiling says: docs/auth.md. */
const never = [
  ['id'],
  ['password'],
  ['role'],
  ['filters', 'hooks'],
  ['filters', 'totp_config'],
  ['filters', 'recovery_codes'],
  ['filters', 'user_type'],
  ['filters', 'external_auth_cache_time'],
  ['filters', 'is_anonymous'],
  ['filters', 'allow_api_key_auth'],
  ['filters', 'disable_fs_checks'],
] as const;

interface User {
  readonly [key: string]: unknown;
}

function at(user: unknown, path: readonly string[]): unknown {
  return path.reduce((value, key) => Object(value)[key], user);
}

/** The granted user as every parser reads it, or undefined when it was refused. */
function granted(
  grant: 'merge' | 'replace' | 'unchanged' | undefined,
  answer: Uint8Array,
  isNew: boolean,
): User | undefined {
  const record = parseJson(isNew ? '{"id":0,"username":"alice"}' : hostText);
  if (!isObject(record)) throw new Error('the record is an object');
  try {
    const bytes = resolveGrant(grant, answer, { username: 'alice', record, isNew, offered: {}, ceiling });
    return bytes.length === 0 ? host : JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    expect(['ANSWER_INVALID', 'GRANT_REFUSED']).toContain(error.code);
    return undefined;
  }
}

/** Go's zero is what an absent key is to the host. */
const zero = (value: unknown) =>
  value === undefined ||
  value === null ||
  value === '' ||
  value === 0 ||
  value === false ||
  JSON.stringify(value) === '[]' ||
  JSON.stringify(value) === '{}';

function check(user: User | undefined, isNew: boolean): void {
  if (user === undefined) return;
  expect(user['username']).toBe('alice');
  const before: User = isNew ? { id: 0, username: 'alice' } : host;
  for (const path of never) {
    const [now, was] = [at(user, path), at(before, path)];
    if (!(zero(now) && zero(was))) expect({ path, value: now }).toEqual({ path, value: was });
  }
  // keys may go, and none may come: nothing was offered
  for (const stored of Array.isArray(user['public_keys']) ? user['public_keys'] : []) {
    expect(Object(before['public_keys'])).toContain(stored);
  }
  // a new user without one gets the host's own default
  if (!(isNew && zero(user['home_dir']))) expect(user['home_dir']).toMatch(/^\/srv\/sftp\//);
  for (const list of Object.values(Object(user['permissions']))) {
    for (const permission of Array.isArray(list) ? list : [])
      expect(['list', 'download']).toContain(permission);
  }
  for (const group of Array.isArray(user['groups']) ? user['groups'] : [])
    expect(String(Object(group).name)).toMatch(/^(team-|staff$)/);
  expect([undefined, 0, 1]).toContain(at(user, ['filesystem', 'provider']));
}

const grant = fc.constantFrom('merge', 'replace', 'unchanged', undefined);
const key = fc.oneof(
  fc.constantFrom(
    'username',
    'Username',
    'uſername',
    'home_dir',
    'HOME_DIR',
    'id',
    'status',
    'password',
    'permissions',
    'filters',
    'groups',
    'filesystem',
    'role',
    'provider',
    's3config',
    'bucket',
    'hooks',
    'external_auth_disabled',
    'totp_config',
    'public_keys',
    '/',
    '/a',
    'name',
    'type',
    '__proto__',
    'constructor',
    'toString',
  ),
  fc.string({ maxLength: 6 }),
);
const leaf = fc.constantFrom(
  null,
  true,
  0,
  1,
  -1,
  2 ** 53,
  1e21,
  '',
  'alice',
  'admin',
  '/',
  '/srv/sftp/alice',
  '/srv/sftp/../etc',
  '*',
  'list',
  'download',
  'team-b',
  'other',
  '\ud800',
);
const tree = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    tie('object'),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
  object: fc.array(fc.tuple(key, tie('value')), { maxLength: 5 }).map((pairs) => ({ pairs })),
})).object;

/** JSON with doubled keys as they are drawn: JSON.stringify could not write those. */
function write(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'pairs' in value && Array.isArray(value.pairs)) {
    return `{${value.pairs.map(([name, each]: [string, unknown]) => `${JSON.stringify(name)}:${write(each)}`).join(',')}}`;
  }
  return Array.isArray(value) ? `[${value.map(write).join(',')}]` : JSON.stringify(value);
}

test(
  'users of any form: refused, or within the ceiling and under the asked name',
  () => {
    const property = fc.property(grant, tree, fc.boolean(), (how, answer, isNew) => {
      check(granted(how, new TextEncoder().encode(write(answer)), isNew), isNew);
    });
    fc.assert(property, parameters);
  },
  limitMs,
);

test(
  'a damaged user: refused, or within the ceiling and under the asked name',
  () => {
    const good = JSON.stringify({
      ...host,
      home_dir: '/srv/sftp/team',
      permissions: { '/': ['list', 'download'] },
      max_sessions: 2,
    });
    const property = fc.property(
      grant,
      damaged(new TextEncoder().encode(good)),
      fc.boolean(),
      (how, bytes, isNew) => {
        check(granted(how, bytes, isNew), isNew);
      },
    );
    fc.assert(property, parameters);
  },
  limitMs,
);

test(
  'text of any form parses to JSON that every parser reads alike, or is refused',
  () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"A"',
      '"\\u0061"',
      '1',
      '-0',
      '1e5',
      '01',
      'true',
      'null',
      ' ',
      '\\',
      '"',
      '\u0000',
      '\ufeff',
      '"\ud800"',
    );
    const property = fc.property(
      fc.oneof(
        fc.array(piece, { maxLength: 30 }).map((all) => all.join('')),
        fc.json(),
      ),
      (text) => {
        let ours: unknown;
        try {
          ours = parseJson(text);
        } catch {
          return;
        }
        expect(ours).toBeDefined();
        JSON.parse(text);
      },
    );
    fc.assert(property, parameters);
  },
  limitMs,
);
