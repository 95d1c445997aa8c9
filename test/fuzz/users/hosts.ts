/** A user as JavaScript holds it; bigints are int64 beyond 2^53. */
export type Value = null | boolean | string | number | bigint | readonly Value[] | User;
export interface User {
  readonly [key: string]: Value;
}

/** What a configuration allows in these tests; `allowed.ts` says the same in other words. */
export const ceilingConfig = {
  homes: ['/srv/sftp'],
  permissions: ['list', 'download'],
  providers: ['local', 's3'],
  buckets: ['team-*'],
  groups: ['team-*', 'staff'],
  folders: ['team-*'],
  fields: ['email'],
};

/** What the client offers at this login. */
export const offers = {
  nothing: {},
  key: { publicKey: 'ssh-ed25519 OFFERED' },
  certificate: { certificate: 'PEM OFFERED' },
} as const;

const secret = (payload: string) => ({ status: 'AWS', payload, key: 'k', additional_data: 'alice', mode: 1 });

/** Known, with a bucket of its own, limits, restrictions and all that is never granted. In no group. */
const restricted: User = {
  id: 7,
  status: 1,
  username: 'alice',
  email: 'alice@example.org',
  password: '$2a$10$hash',
  public_keys: ['ssh-ed25519 STORED alice@home', 'ssh-rsa OLD'],
  home_dir: '/srv/sftp/alice',
  uid: 1000,
  max_sessions: 3,
  quota_size: 9_007_199_254_740_993n,
  permissions: { '/': ['list', 'upload'], '/closed': [], '/in*': ['upload', 'rename'] },
  last_login: 1_697_040_000_123,
  upload_bandwidth: 100,
  role: 'ward',
  filters: {
    allowed_ip: ['10.0.0.0/8', '192.0.2.0/24'],
    denied_protocols: ['FTP'],
    file_patterns: [{ path: '/', denied_patterns: ['*.exe'] }],
    max_upload_file_size: 1000,
    tls_certs: ['PEM STORED'],
    hooks: { external_auth_disabled: false, pre_login_disabled: true },
    user_type: 'LDAPUser',
    ftp_security: 1,
    totp_config: { enabled: true, secret: secret('TOTP'), protocols: ['SSH'] },
    recovery_codes: [{ secret: secret('CODE') }],
    filter_of_tomorrow: { on: true },
  },
  virtual_folders: [
    {
      name: 'team-x',
      mapped_path: '/srv/x',
      virtual_path: '/x',
      quota_size: 5,
      filesystem: { provider: 1, s3config: { bucket: 'x', access_secret: secret('X') } },
    },
  ],
  filesystem: {
    provider: 1,
    s3config: {
      ...{ bucket: 'team-a', key_prefix: 'alice/', region: 'eu-central-1', access_secret: secret('S3') },
      endpoint: 'https://s3.example.org',
    },
    sftpconfig: { endpoint: 'left.example.org:22', password: secret('LEFT') },
  },
  field_of_tomorrow: { a: 1 },
};

/** Known, disabled, in groups, on the local disk, with few limits. */
const grouped: User = {
  id: 8,
  status: 0,
  username: 'alice',
  home_dir: '/home/alice',
  permissions: { '/': ['*'], '/a': ['list'], '/a/b': ['list', 'delete'] },
  groups: [
    { name: 'staff', type: 1 },
    { name: 'admins', type: 2 },
  ],
  filters: {
    denied_login_methods: ['publickey'],
    web_client: ['shares-disabled'],
    require_password_change: true,
  },
  filesystem: {
    provider: 0,
    osconfig: { read_buffer_size: 1 },
    gcsconfig: { bucket: 'team-g', key_prefix: 'alice/' },
    azblobconfig: { container: 'team-c' },
  },
};

/** Not known. */
const stranger: User = { id: 0, username: 'alice' };

/** Damage to it hurts nobody. */
const description = 'a text in which anything may stand, and does';

/** Users that a host sends, and for each an answer that is accepted as it stands. */
export const hosts = {
  restricted: {
    record: restricted,
    isNew: false,
    merge: { description },
    replace: { ...restricted, description },
  },
  grouped: { record: grouped, isNew: false, merge: { additional_info: 'seen' }, replace: grouped },
  stranger: {
    record: stranger,
    isNew: true,
    merge: { status: 1, home_dir: '/srv/sftp/alice', permissions: { '/': ['list'] }, description },
    replace: { username: 'alice', status: 1, permissions: { '/': ['list', 'download'] }, description },
  },
} as const satisfies Readonly<Record<string, { record: User; isNew: boolean; merge: User; replace: User }>>;

export type HostName = keyof typeof hosts;

/** TypeScript does not know https://github.com/tc39/proposal-json-parse-with-source yet. */
const withSource = JSON as unknown as {
  rawJSON(text: string): unknown;
  parse(
    text: string,
    revive: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
};

/** Reads JSON as JavaScript does, with each number and text as `scalar` makes it, which also gets what was written. */
export function readJson(text: string, scalar: (value: string | number, source: string) => unknown): unknown {
  return withSource.parse(text, (_, value, { source = '' }) =>
    typeof value === 'number' || typeof value === 'string' ? scalar(value, source) : value,
  );
}

/** JSON, with bigints as whole numbers. */
export function jsonOf(value: Value): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'bigint' ? withSource.rawJSON(String(each)) : each,
  );
}
