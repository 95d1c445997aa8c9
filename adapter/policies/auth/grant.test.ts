import { expect, test } from 'vitest';
import { PluginError } from '../../../proto/error.ts';
import type { Grant } from '../../../proto/facts.ts';
import { parseJson } from '../../json/parse.ts';
import { isObject, type JsonObject } from '../../json/tree.ts';
import type { Offered } from './ceiling.ts';
import { foldKey } from './check-shape.ts';
import { authSection, nameableFields } from './config.ts';
import { resolveGrant } from './resolve-grant.ts';
import { pathsWith } from './user-fields.ts';

/** As SFTPGo sends a user it knows. */
const alice = {
  id: 7,
  status: 1,
  username: 'alice',
  password: '$2a$10$hash',
  public_keys: ['ssh-ed25519 STORED alice@home'],
  home_dir: '/srv/sftp/alice',
  uid: 0,
  gid: 0,
  max_sessions: 5,
  quota_size: 1000,
  quota_files: 0,
  permissions: { '/': ['list', 'download'], '/in': ['*'] },
  upload_data_transfer: 0,
  download_data_transfer: 0,
  total_data_transfer: 0,
  last_login: 1_697_040_000_123,
  created_at: 0,
  updated_at: 0,
  groups: [{ name: 'staff', type: 1 }],
  filters: {
    denied_protocols: ['DAV'],
    hooks: { external_auth_disabled: false, pre_login_disabled: true, check_password_disabled: false },
    totp_config: { enabled: true, config_name: 'Default', secret: { status: 'Secretbox', payload: 'TOTP' } },
    recovery_codes: [{ secret: { status: 'Secretbox', payload: 'CODE' } }],
    of_a_newer_sftpgo: { x: [1] },
  },
  virtual_folders: [
    {
      id: 3,
      name: 'team-docs',
      mapped_path: '/srv/docs',
      virtual_path: '/docs',
      used_quota_size: 0,
      filesystem: {
        provider: 1,
        s3config: { bucket: 'docs', access_secret: { status: 'AWS', payload: 'S3' } },
      },
    },
  ],
  filesystem: {
    provider: 1,
    s3config: { bucket: 'team-a', key_prefix: 'alice/', access_secret: { status: 'AWS', payload: 'S3' } },
  },
  of_a_newer_sftpgo: 1,
};

/** As SFTPGo sends a user it does not know. */
const nobody = {
  id: 0,
  status: 0,
  username: 'alice',
  home_dir: '',
  uid: 0,
  gid: 0,
  max_sessions: 0,
  quota_size: 0,
  quota_files: 0,
  permissions: null,
  created_at: 0,
  updated_at: 0,
  filters: { hooks: { external_auth_disabled: false }, totp_config: { secret: null } },
  filesystem: { provider: 0, s3config: {} },
};

const ceiling = {
  homes: ['/srv/sftp'],
  permissions: ['list', 'download', 'upload', 'rename'],
  providers: ['local', 's3'],
  buckets: ['team-*', 'shared'],
  groups: ['team-*'],
  folders: ['team-*'],
};

function tree(value: object | string): JsonObject {
  const parsed = parseJson(typeof value === 'string' ? value : JSON.stringify(value));
  if (!isObject(parsed)) throw new Error('not an object');
  return parsed;
}

interface Case {
  readonly grant?: Grant | undefined;
  readonly record?: object | string;
  readonly ceiling?: object;
  readonly offered?: Offered;
}

/** What the host gets as text; the code and text of the refusal otherwise. */
function answer(user: object | string | Uint8Array, options: Case = {}): string {
  const record = tree(options.record ?? alice);
  const bytes =
    user instanceof Uint8Array
      ? user
      : new TextEncoder().encode(typeof user === 'string' ? user : JSON.stringify(user));
  try {
    return new TextDecoder().decode(
      resolveGrant('grant' in options ? options.grant : 'merge', bytes, {
        username: 'alice',
        record,
        isNew: JSON.stringify(record.get('id')) === '{"number":"0"}',
        offered: options.offered ?? {},
        ceiling: authSection.parse({ use: 'team', ceiling: options.ceiling ?? ceiling }).ceiling,
      }),
    );
  } catch (error) {
    if (error instanceof PluginError) return `${error.code}: ${error.happened}`;
    throw error;
  }
}

function changes(path: string): string {
  return `GRANT_REFUSED: the answer changes ${path} of the user`;
}

/** `filters.hooks.x` and a value as an object. */
function at(path: string, value: unknown): object {
  return path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as object;
}

test('merge changes what it names and leaves every digit and unknown key of the host', () => {
  const record = JSON.stringify(alice).replace(
    '"last_login":1697040000123',
    '"last_login":9223372036854775807',
  );
  const granted = answer({ permissions: { '/': ['list', 'upload'] } }, { record });
  expect(granted).toContain('"last_login":9223372036854775807');
  expect(JSON.parse(granted)).toEqual({
    ...JSON.parse(record),
    permissions: { '/': ['list', 'upload'], '/in': ['*'] },
  });
});

test('unchanged is no user, for a user that the host knows', () => {
  expect(answer('', { grant: 'unchanged' })).toBe('');
  expect(answer('{"status":1}', { grant: 'unchanged' })).toMatch(/^ANSWER_INVALID: .*has a user/);
  expect(answer(' ', { grant: 'unchanged' })).toMatch(/^ANSWER_INVALID/);
  expect(answer('', { grant: 'unchanged', record: nobody })).toMatch(/^GRANT_REFUSED: .*does not know/);
});

test('without a grant nobody logs in, whatever the answer holds', () => {
  for (const user of ['', '{"status":1}']) {
    expect(answer(user, { grant: undefined })).toMatch(/^GRANT_REFUSED: .*no plugin-grant/);
  }
});

test.each([
  '',
  ' ',
  '\n',
  'null',
  '{}',
  ' {} ',
  '[]',
  '[{"status":1}]',
  '"alice"',
  '1',
  'true',
  '{"status":1} x',
])('no user: %j', (text) => {
  for (const grant of ['merge', 'replace'] as const)
    expect(answer(text, { grant })).toMatch(/^ANSWER_INVALID/);
});

test('bytes that are no UTF-8, and a byte order mark, are refused', () => {
  expect(answer(new Uint8Array([0x7b, 0xff, 0x7d]))).toMatch(/^ANSWER_INVALID: .*not UTF-8/);
  expect(answer('\ufeff{"status":1}')).toMatch(/^ANSWER_INVALID/);
});

test('another user is refused, in any spelling', () => {
  expect(answer({ username: 'admin', description: 'x' })).toBe(
    'GRANT_REFUSED: the answer names another user',
  );
  expect(answer({ username: 'admin', description: 'x' }, { grant: 'replace' })).toMatch(/another user/);
  for (const key of ['Username', 'USERNAME', 'u\u017fername']) {
    expect(answer({ description: 'x', [key]: 'admin' })).toMatch(/^ANSWER_INVALID: .*spelled like username/);
  }
});

test.each(['merge', 'replace'] as const)('%s: the host gets the name that was asked for', (grant) => {
  for (const username of [undefined, 'alice', null]) {
    const user = grant === 'merge' ? { username } : { ...alice, username };
    const granted = answer({ ...user, description: 'x' }, { grant });
    expect(JSON.parse(granted)).toMatchObject({ username: 'alice', description: 'x' });
  }
});

test('a key spelled like a known one is refused at every level, the two foreign letters of Go included', () => {
  for (const user of [
    { HOME_DIR: '/' },
    { filters: { Hooks: {} } },
    { filters: { hoo\u212As: {} } },
    { filters: { hooks: { External_Auth_Disabled: true } } },
    { file\u017Fystem: { provider: 0 } },
    { filesystem: { s3config: { buc\u212Aet: 'x' } } },
    { groups: [{ Name: 'team-a', type: 1 }] },
    { virtual_folders: [{ filesystem: { Provider: 1 } }] },
  ]) {
    expect(answer(user)).toMatch(/^ANSWER_INVALID: a key of the user is spelled like /);
  }
  expect(foldKey('Ma\u017F\u212A')).toBe('mask');
});

test('a path is a name, not a field: its letters are free', () => {
  const granted = answer({ permissions: { '/Home_Dir': ['list'] } });
  expect(JSON.parse(granted).permissions['/Home_Dir']).toEqual(['list']);
});

test.each([
  [{ status: '1' }, 'status'],
  [{ quota_size: 1.5 }, 'quota_size'],
  ['{"quota_size":1e2}', 'quota_size'],
  ['{"quota_size":1.0}', 'quota_size'],
  ['{"quota_size":-0}', 'quota_size'],
  ['{"quota_size":9223372036854775808}', 'quota_size'],
  ['{"quota_size":-9223372036854775809}', 'quota_size'],
  [{ home_dir: ['/srv/sftp'] }, 'home_dir'],
  [{ permissions: ['list'] }, 'permissions'],
  [{ permissions: { '/': 'list' } }, 'permissions{}'],
  [{ permissions: { '/': [null] } }, 'permissions{}[]'],
  [{ groups: { name: 'team-a' } }, 'groups'],
  [{ groups: [null] }, 'groups[]'],
  [{ oidc_custom_fields: true }, 'oidc_custom_fields'],
  [{ filters: [] }, 'filters'],
  [{ filters: { disable_fs_checks: 1 } }, 'filters.disable_fs_checks'],
])('a value of another type than the field is refused: %j', (user, path) => {
  expect(answer(user)).toBe(`ANSWER_INVALID: ${path} of the user has the wrong type`);
});

/** A value that differs from the zero of the field and from what `alice` has, for every path that is never granted. */
const never: Readonly<Record<string, unknown>> = {
  id: 8,
  password: '$2a$10$other',
  has_password: true,
  used_quota_size: 1,
  used_quota_files: 1,
  last_quota_update: 1,
  used_upload_data_transfer: 1,
  used_download_data_transfer: 1,
  last_login: 1,
  created_at: 1,
  updated_at: 1,
  first_download: 1,
  first_upload: 1,
  last_password_change: 1,
  oidc_custom_fields: { a: 1 },
  role: 'admin',
  'filters.hooks.external_auth_disabled': true,
  'filters.hooks.pre_login_disabled': false,
  'filters.hooks.check_password_disabled': true,
  'filters.disable_fs_checks': true,
  'filters.allow_api_key_auth': true,
  'filters.user_type': 'OSUser',
  'filters.external_auth_cache_time': 3600,
  'filters.is_anonymous': true,
  'filters.totp_config.enabled': false,
  'filters.totp_config.config_name': 'Other',
  'filters.totp_config.secret': { status: 'Plain', payload: 'mine' },
  'filters.totp_config.protocols': ['SSH'],
  'filters.recovery_codes': [{ secret: { status: 'Plain', payload: 'mine' } }],
  'filesystem.s3config.skip_tls_verify': true,
  'filesystem.httpconfig.skip_tls_verify': true,
};

test('the table of what is never granted is complete, and no key of the ceiling can name one of it', () => {
  const host = pathsWith(new Set(['host'])).filter((path) => path !== 'username');
  expect(host.sort()).toEqual(Object.keys(never).sort());
  expect(nameableFields.filter((path) => path in never)).toEqual([]);
  for (const path of host) {
    expect(() => authSection.parse({ use: 'team', ceiling: { fields: [path] } })).toThrow();
  }
});

const widest = {
  ...{
    homes: ['/srv'],
    permissions: ['*'],
    providers: ['local', 's3', 'gcs', 'azblob', 'crypt', 'sftp', 'http'],
  },
  ...{ buckets: ['*'], groups: ['*'], folders: ['*'], fields: nameableFields },
};

test.each(Object.entries(never))('never granted, whatever the ceiling says: %s', (path, value) => {
  const refused = expect.stringMatching(
    new RegExp(`^GRANT_REFUSED: .* ${path.replaceAll('.', '\\.')}( |\\.)`),
  );
  expect(answer(at(path, value), { ceiling: widest })).toEqual(refused);
  if (value !== false) expect(answer(at(path, value), { ceiling: widest, record: nobody })).toEqual(refused);
});

test.each(['password', 'filters.totp_config.secret', 'filters.recovery_codes', 'filters.of_a_newer_sftpgo'])(
  'what the host keeps cannot be removed either: %s',
  (path) => {
    expect(answer(at(path, null), { ceiling: widest })).toMatch(/^GRANT_REFUSED/);
  },
);

test.each([
  at('of_an_even_newer_one', 1),
  at('of_a_newer_sftpgo', 2),
  at('filters.admin', true),
  at('filters.of_a_newer_sftpgo.x', [1, 2]),
  at('filesystem.s3config.insecure', true),
  { groups: [{ name: 'team-a', type: 1, admin: true }] },
  { virtual_folders: [{ name: 'team-a', virtual_path: '/a', extra: 1 }] },
  { filters: { access_time: [{ day_of_week: 1, from: '1', to: '2', x: 1 }] } },
  at('filesystem.cryptconfig.passphrase', { status: 'Plain', payload: 'x', x: 1 }),
])('a key that SFTPGo does not have is refused, whatever the ceiling says: %j', (user) => {
  for (const record of [alice, nobody]) {
    expect(answer(user, { ceiling: widest, record })).toMatch(/^GRANT_REFUSED: .*does not know/);
  }
});

test('unknown keys that the host sent may come back as they were', () => {
  const granted = answer({
    of_a_newer_sftpgo: 1,
    filters: { of_a_newer_sftpgo: { x: [1] } },
    description: 'x',
  });
  expect(JSON.parse(granted)).toEqual({ ...alice, description: 'x' });
});

test('no ceiling: nothing beyond what the host has', () => {
  const none = { ceiling: {} };
  expect(answer({ permissions: { '/': ['list'] } }, none)).not.toMatch(/REFUSED/);
  for (const path of ['home_dir', 'permissions', 'groups', 'email']) {
    const value =
      path === 'groups' ? [{ name: 'a', type: 1 }] : path === 'permissions' ? { '/': ['*'] } : '/x';
    expect(answer({ [path]: value }, none)).toBe(changes(path));
    expect(answer({ [path]: value }, { ...none, record: nobody })).toBe(changes(path));
  }
});

test('a new user gets what the ceiling names', () => {
  const user = {
    status: 1,
    home_dir: '/srv/sftp/alice',
    permissions: { '/': ['list', 'download'], '/inbox': ['upload', 'rename_files'] },
    groups: [{ name: 'team-a', type: 1 }],
    filters: { denied_protocols: ['FTP'], web_client: ['write-disabled'] },
    virtual_folders: [{ name: 'team-docs', virtual_path: '/docs', quota_size: -1, quota_files: -1 }],
    filesystem: { provider: 1, s3config: { bucket: 'team-a', key_prefix: 'alice/', region: 'eu-central-1' } },
  };
  for (const grant of ['merge', 'replace'] as const) {
    expect(JSON.parse(answer(user, { record: nobody, grant }))).toMatchObject({
      ...user,
      id: 0,
      username: 'alice',
    });
  }
});

test.each([
  '/srv/sftp/../../etc',
  '/srv/sftp/..',
  '/srv/sftp/./a',
  '/srv/sftp//a',
  '/srv/sftp/a/',
  '/srv/sftpx',
  '/srv',
  '/',
  'srv/sftp/a',
  '//srv/sftp/a',
  '/srv/sftp/a\\..\\..\\b',
  'C:\\srv\\sftp',
  '\\\\srv\\sftp',
  ' /srv/sftp/a',
  '',
])('a home outside the homes is refused: %j', (home) => {
  expect(answer({ home_dir: home })).toBe(changes('home_dir'));
});

test.each(['/srv/sftp', '/srv/sftp/bob', '/srv/sftp/a..b/c', '/srv/sftp/.hidden'])(
  'a home inside: %s',
  (home) => {
    expect(JSON.parse(answer({ home_dir: home })).home_dir).toBe(home);
  },
);

test.each([
  [{ '/': ['*'] }, false],
  [{ '/': ['list', 'delete'] }, false],
  [{ '/': ['list', 'rename_dirs'] }, true],
  [{ '/': [] }, true],
  [{ '/in': ['delete'] }, true],
  [{ '/new': ['delete'] }, false],
  [{ '/new': ['upload'] }, true],
  [{ '/new/../x': ['list'] }, false],
  [{ 'new': ['list'] }, false],
  [{ '/new/': ['list'] }, false],
  [{ '//new': ['list'] }, false],
  [{ '/new': ['fly'] }, false],
  [{ '/': null }, false],
])('permissions %j are within: %s', (permissions, within) => {
  const granted = answer({ permissions });
  expect(granted).toEqual(within ? expect.not.stringMatching(/REFUSED/) : changes('permissions'));
});

test('removing a path may not uncover more than the ceiling gives', () => {
  const removed = { permissions: { '/in': null } };
  expect(answer(removed)).toBe(changes('permissions'));
  expect(answer(removed, { record: { ...alice, groups: null } })).not.toMatch(/REFUSED/);
  const record = { ...alice, groups: null, permissions: { '/': ['*'], '/secret': ['list'] } };
  expect(answer({ permissions: { '/secret': null } }, { record })).toBe(changes('permissions'));
  expect(answer({ permissions: { '/secret': null, '/': ['list'] } }, { record })).not.toMatch(/REFUSED/);
  const pattern = { ...alice, groups: null, permissions: { '/': ['list'], '/s*': ['list'], '/x*': ['*'] } };
  expect(answer({ permissions: { '/s*': null } }, { record: pattern })).toBe(changes('permissions'));
});

test.each([
  [[{ name: 'team-b', type: 1 }], false],
  [
    [
      { name: 'staff', type: 1 },
      { name: 'team-b', type: 2 },
    ],
    true,
  ],
  [
    [
      { name: 'staff', type: 1 },
      { name: 'teams', type: 2 },
    ],
    false,
  ],
  [
    [
      { name: 'staff', type: 1 },
      { name: 'Team-b', type: 2 },
    ],
    false,
  ],
  [[{ name: 'staff', type: 2 }], false],
  [[], false],
  [null, false],
])('groups %j are within: %s', (groups, within) => {
  expect(answer({ groups })).toEqual(within ? expect.not.stringMatching(/REFUSED/) : changes('groups'));
});

test('a group of the ceiling may be left', () => {
  const record = { ...alice, groups: [{ name: 'team-a', type: 2 }] };
  expect(JSON.parse(answer({ groups: null }, { record })).groups).toBeUndefined();
});

test.each([
  [0, true],
  [1, true],
  [2, false],
  [3, false],
  [4, false],
  [5, false],
  [6, false],
  [7, false],
  [-1, false],
])('provider %i is within: %s', (provider, within) => {
  const record = { ...alice, filesystem: { provider: 5 } };
  expect(answer({ filesystem: { provider } }, { record, ceiling: { providers: ['local', 's3'] } })).toEqual(
    within || provider === 5 ? expect.not.stringMatching(/GRANT/) : changes('filesystem.provider'),
  );
});

test('another provider brings its settings into force: what was left over counts as granted', () => {
  const record = {
    ...alice,
    filesystem: { provider: 0, s3config: { bucket: 'payroll', endpoint: 'http://x' } },
  };
  expect(answer({ filesystem: { provider: 1 } }, { record })).toBe(changes('filesystem.s3config.bucket'));
  expect(answer({ filesystem: { provider: 1, s3config: { bucket: 'team-a' } } }, { record })).toBe(
    changes('filesystem.s3config.endpoint'),
  );
});

test.each([
  ['s3config', 'bucket'],
  ['gcsconfig', 'bucket'],
  ['azblobconfig', 'container'],
])('buckets: %s.%s', (config, key) => {
  for (const [bucket, within] of [
    ['team-b', true],
    ['shared', true],
    ['shared2', false],
    ['my-team-b', false],
    ['payroll', false],
    ['', false],
  ] as const) {
    const record = { ...alice, filesystem: { provider: 1, [config]: { [key]: 'old' } } };
    expect(answer({ filesystem: { [config]: { [key]: bucket } } }, { record })).toEqual(
      within ? expect.not.stringMatching(/REFUSED/) : changes(`filesystem.${config}.${key}`),
    );
  }
});

test('a prefix moves inside a bucket of the ceiling only', () => {
  expect(answer({ filesystem: { s3config: { key_prefix: '' } } })).not.toMatch(/REFUSED/);
  const record = {
    ...alice,
    filesystem: { provider: 1, s3config: { bucket: 'payroll', key_prefix: 'alice/' } },
  };
  expect(answer({ filesystem: { s3config: { key_prefix: '' } } }, { record })).toBe(
    changes('filesystem.s3config.key_prefix'),
  );
});

test('a stored secret cannot be sent elsewhere: endpoints and credentials need a name in the ceiling', () => {
  for (const path of [
    'filesystem.s3config.endpoint',
    'filesystem.s3config.role_arn',
    'filesystem.s3config.access_key',
    'filesystem.s3config.acl',
    'filesystem.sftpconfig.endpoint',
    'filesystem.azblobconfig.account_name',
  ]) {
    expect(answer(at(path, 'x'))).toBe(changes(path));
    expect(answer(at(path, 'x'), { ceiling: { fields: [path] } })).not.toMatch(/REFUSED/);
  }
  const secret = at('filesystem.s3config.access_secret', { status: 'Plain', payload: 'x' });
  expect(answer(secret)).toBe(changes('filesystem.s3config.access_secret'));
});

test("virtual folders come by name; their settings stay the host's", () => {
  const docs = { name: 'team-docs', virtual_path: '/docs' };
  // the secret that the function was not shown is put back
  expect(
    JSON.parse(answer({ virtual_folders: [{ ...alice.virtual_folders[0], quota_size: 5 }] })).virtual_folders,
  ).toEqual([{ ...alice.virtual_folders[0], quota_size: 5 }]);
  expect(answer({ virtual_folders: [docs, { name: 'team-b', virtual_path: '/b' }] })).not.toMatch(/REFUSED/);
  for (const folder of [
    { name: 'payroll', virtual_path: '/p' },
    { name: 'team-b', virtual_path: '/b', mapped_path: '/' },
    { name: 'team-b', virtual_path: '/b', filesystem: { provider: 1 } },
    { ...docs, mapped_path: '/etc' },
    { ...docs, id: 9 },
  ]) {
    expect(answer({ virtual_folders: [folder] })).toBe(changes('virtual_folders'));
  }
});

test('limits may be set or lowered, not lifted', () => {
  const record = { ...alice, groups: null };
  for (const [path, value, within] of [
    ['quota_size', 999, true],
    ['quota_size', 1001, false],
    ['quota_size', 0, false],
    ['quota_size', -1, false],
    ['max_sessions', 1, true],
    ['quota_files', 10, true],
    ['expiration_date', 1_900_000_000_000, true],
    ['total_data_transfer', 1, false],
    ['filters.max_upload_file_size', 1, true],
    ['filters.ftp_security', 1, true],
    ['filters.require_password_change', true, true],
    ['filters.denied_protocols', ['DAV', 'FTP'], true],
    ['filters.denied_protocols', ['FTP'], false],
    ['filters.denied_protocols', null, false],
    ['filters.allowed_ip', ['10.0.0.0/8'], true],
    ['filters.bandwidth_limits', [{ sources: ['0.0.0.0/0'] }], false],
    ['filters.tls_username', 'CommonName', false],
    ['email', 'me@example.com', false],
    ['uid', 1000, false],
    ['status', 0, true],
  ] as const) {
    expect([path, value, answer(at(path, value), { record })]).toEqual([
      path,
      value,
      within ? expect.not.stringMatching(/REFUSED/) : changes(path),
    ]);
    if (!within && path !== 'filters.denied_protocols') {
      expect(answer(at(path, value), { record, ceiling: { fields: [path] } })).not.toMatch(/REFUSED/);
    }
  }
});

test('where a group may have the limit, setting the first one could lift it', () => {
  for (const path of ['quota_files', 'filters.password_strength', 'filters.max_upload_file_size']) {
    expect(answer(at(path, 10))).toBe(changes(path));
  }
  expect(answer({ filters: { allowed_ip: ['0.0.0.0/0'] } })).toBe(changes('filters.allowed_ip'));
  const allowed = { ...alice, filters: { ...alice.filters, allowed_ip: ['10.0.0.0/8', '10.1.0.0/16'] } };
  expect(answer({ filters: { allowed_ip: ['10.1.0.0/16'] } }, { record: allowed })).not.toMatch(/REFUSED/);
  expect(answer({ filters: { allowed_ip: ['10.2.0.0/16'] } }, { record: allowed })).toBe(
    changes('filters.allowed_ip'),
  );
});

test('a disabled user stays disabled; a new one may be enabled', () => {
  const disabled = { ...alice, status: 0 };
  expect(answer({ status: 1 }, { record: disabled })).toBe(changes('status'));
  expect(answer({ status: 1 }, { record: disabled, ceiling: { fields: ['status'] } })).not.toMatch(/REFUSED/);
  expect(JSON.parse(answer({ status: 1 }, { record: nobody })).status).toBe(1);
  expect(answer({ status: 2 }, { record: nobody })).toBe(changes('status'));
});

test('the key that the client offered may be added, and no other', () => {
  const publicKey = 'ssh-ed25519 OFFERED\n';
  const stored = alice.public_keys[0];
  const add = (key: string) => answer({ public_keys: [stored, key] }, { offered: { publicKey } });
  expect(add('ssh-ed25519 OFFERED')).not.toMatch(/REFUSED/);
  expect(add('ssh-ed25519 OFFERED\nssh-ed25519 OTHER')).toBe(changes('public_keys'));
  expect(add('ssh-ed25519 OTHER')).toBe(changes('public_keys'));
  expect(answer({ public_keys: [stored, 'ssh-ed25519 OFFERED'] })).toBe(changes('public_keys'));
  expect(answer({ filters: { tls_certs: ['PEM'] } }, { offered: { certificate: 'PEM\n' } })).not.toMatch(
    /REFUSED/,
  );
  expect(answer({ filters: { tls_certs: ['PEM'] } }, { offered: { publicKey: 'PEM' } })).toBe(
    changes('filters.tls_certs'),
  );
});

test('replace: what was not shown and what is never granted comes from the host; the rest is the answer', () => {
  const shown = {
    username: 'alice',
    status: 1,
    home_dir: '/srv/sftp/alice',
    max_sessions: 5,
    quota_size: 1000,
    permissions: alice.permissions,
    groups: alice.groups,
    filters: { denied_protocols: ['DAV'] },
    virtual_folders: [
      {
        id: 3,
        name: 'team-docs',
        mapped_path: '/srv/docs',
        virtual_path: '/docs',
        filesystem: { provider: 1, s3config: { bucket: 'docs' } },
      },
    ],
    filesystem: { provider: 1, s3config: { bucket: 'team-a', key_prefix: 'alice/' } },
  };
  const granted = JSON.parse(answer(shown, { grant: 'replace' }));
  expect(granted).toMatchObject({
    id: 7,
    password: '$2a$10$hash',
    public_keys: alice.public_keys,
    last_login: alice.last_login,
    of_a_newer_sftpgo: 1,
    filters: alice.filters,
    filesystem: alice.filesystem,
  });
  expect(granted.virtual_folders[0].filesystem).toEqual(alice.virtual_folders[0]?.filesystem);
  const { permissions: _, ...without } = shown;
  expect(answer(without, { grant: 'replace' })).toBe(changes('permissions'));
  const { filesystem: __, ...local } = shown;
  expect(answer(local, { grant: 'replace' })).toMatch(/^GRANT_REFUSED: .* filesystem\./);
});
