/**
 * How a change of a field by a function is judged; `ceiling.ts` carries each out.
 *
 * - `host`: never. What the host keeps by itself, and what would outlive the repair of a function (docs/auth.md).
 * - `named`: only if `ceiling.fields` names it.
 * - `free`: it gives nobody anything.
 * - `limit`: a number of which 0 means "unlimited": it may be set or lowered.
 * - `raise`, `on`, `more`, `narrow`, `first`: the number may grow, the flag be set, the list of restrictions gain
 *   entries, the list of permitted ones lose them, the list of restrictions be set where there was none.
 * - the others are the ceiling's own keys, and what a login may add of what the client offered.
 */
export type Rule =
  | 'host'
  | 'named'
  | 'free'
  | 'limit'
  | 'raise'
  | 'on'
  | 'more'
  | 'narrow'
  | 'first'
  | 'status'
  | 'home'
  | 'permissions'
  | 'provider'
  | 'bucket'
  | 'in-bucket'
  | 'groups'
  | 'folders'
  | 'offered-key'
  | 'offered-certificate';

/** One field of a user as Go's decoder sees it. `hidden`: not sent to a function under `send: minimal`. */
export type Field = { readonly rule: Rule; readonly hidden?: true } & (
  | { readonly kind: 'text' | 'int' | 'flag' | 'any' }
  | { readonly kind: 'list' | 'map'; readonly of: Field }
  | { readonly kind: 'object'; readonly fields: Fields }
);

/** The fields of a Go struct by their JSON names. */
export type Fields = Readonly<Record<string, Field>>;

const text = (rule: Rule): Field => ({ kind: 'text', rule });
const int = (rule: Rule): Field => ({ kind: 'int', rule });
const flag = (rule: Rule): Field => ({ kind: 'flag', rule });
const list = (rule: Rule, of: Field = text(rule)): Field => ({ kind: 'list', rule, of });
const object = (fields: Fields): Field => ({ kind: 'object', rule: 'named', fields });
const hidden = (field: Field): Field => ({ ...field, hidden: true });

/** sdk/kms.BaseSecret: a password or key of a storage, encrypted or about to be. */
function secret(rule: Rule): Field {
  return hidden({
    kind: 'object',
    rule,
    fields: {
      status: text(rule),
      payload: text(rule),
      key: text(rule),
      additional_data: text(rule),
      mode: int(rule),
    },
  });
}

const buffers: Fields = { read_buffer_size: int('free'), write_buffer_size: int('free') };

/** sdk.Filesystem of SDK 0.1.9. */
const filesystem = object({
  provider: int('provider'),
  osconfig: object(buffers),
  s3config: object({
    bucket: text('bucket'),
    key_prefix: text('in-bucket'),
    region: text('in-bucket'),
    access_key: text('named'),
    role_arn: text('named'),
    session_token: hidden(text('named')),
    endpoint: text('named'),
    storage_class: text('in-bucket'),
    acl: text('named'),
    upload_part_size: int('free'),
    upload_concurrency: int('free'),
    download_part_size: int('free'),
    upload_part_max_time: int('free'),
    download_concurrency: int('free'),
    download_part_max_time: int('free'),
    force_path_style: flag('in-bucket'),
    skip_tls_verify: flag('host'),
    access_secret: secret('named'),
    sse_customer_key: secret('named'),
  }),
  gcsconfig: object({
    bucket: text('bucket'),
    key_prefix: text('in-bucket'),
    automatic_credentials: int('in-bucket'),
    storage_class: text('in-bucket'),
    acl: text('named'),
    upload_part_size: int('free'),
    upload_part_max_time: int('free'),
    credentials: secret('named'),
  }),
  azblobconfig: object({
    container: text('bucket'),
    account_name: text('named'),
    endpoint: text('named'),
    key_prefix: text('in-bucket'),
    upload_part_size: int('free'),
    upload_concurrency: int('free'),
    download_part_size: int('free'),
    download_concurrency: int('free'),
    use_emulator: flag('named'),
    access_tier: text('in-bucket'),
    account_key: secret('named'),
    sas_url: secret('named'),
  }),
  cryptconfig: object({ ...buffers, passphrase: secret('named') }),
  sftpconfig: object({
    endpoint: text('named'),
    username: text('named'),
    fingerprints: list('named'),
    prefix: text('named'),
    disable_concurrent_reads: flag('free'),
    buffer_size: int('free'),
    equality_check_mode: int('named'),
    password: secret('named'),
    private_key: secret('named'),
    key_passphrase: secret('named'),
  }),
  httpconfig: object({
    endpoint: text('named'),
    username: text('named'),
    skip_tls_verify: flag('host'),
    equality_check_mode: int('named'),
    password: secret('named'),
    api_key: secret('named'),
  }),
});

const folder = object({
  id: int('folders'),
  name: text('folders'),
  mapped_path: text('folders'),
  description: text('folders'),
  used_quota_size: int('folders'),
  used_quota_files: int('folders'),
  last_quota_update: int('folders'),
  users: hidden(list('folders')),
  groups: hidden(list('folders')),
  filesystem,
  virtual_path: text('folders'),
  quota_size: int('folders'),
  quota_files: int('folders'),
});

const filters = object({
  allowed_ip: list('narrow'),
  denied_ip: list('more'),
  denied_login_methods: list('more'),
  denied_protocols: list('more'),
  file_patterns: list(
    'first',
    object({
      path: text('first'),
      allowed_patterns: list('first'),
      denied_patterns: list('first'),
      deny_policy: int('first'),
    }),
  ),
  max_upload_file_size: int('limit'),
  tls_username: text('named'),
  tls_certs: list('offered-certificate'),
  hooks: object({
    external_auth_disabled: flag('host'),
    pre_login_disabled: flag('host'),
    check_password_disabled: flag('host'),
  }),
  disable_fs_checks: flag('host'),
  web_client: list('more'),
  allow_api_key_auth: flag('host'),
  user_type: text('host'),
  bandwidth_limits: list(
    'named',
    object({
      sources: list('named'),
      upload_bandwidth: int('named'),
      download_bandwidth: int('named'),
    }),
  ),
  external_auth_cache_time: int('host'),
  start_directory: text('free'),
  two_factor_protocols: list('more'),
  ftp_security: int('raise'),
  is_anonymous: flag('host'),
  default_shares_expiration: int('limit'),
  max_shares_expiration: int('limit'),
  password_expiration: int('limit'),
  password_strength: int('raise'),
  access_time: list('first', object({ day_of_week: int('first'), from: text('first'), to: text('first') })),
  require_password_change: flag('on'),
  additional_emails: list('named'),
  totp_config: object({
    enabled: flag('host'),
    config_name: text('host'),
    secret: secret('host'),
    protocols: list('host'),
  }),
  recovery_codes: hidden(list('host', object({ secret: secret('host'), used: flag('host') }))),
});

/** sdk.User of github.com/sftpgo/sdk 0.1.9, which every SFTPGo's own user is made of. */
export const userFields: Fields = {
  id: int('host'),
  status: int('status'),
  username: text('host'),
  // the reset link for a forgotten password goes there
  email: text('named'),
  expiration_date: int('limit'),
  password: hidden(text('host')),
  public_keys: list('offered-key'),
  has_password: flag('host'),
  home_dir: text('home'),
  uid: int('named'),
  gid: int('named'),
  max_sessions: int('limit'),
  quota_size: int('limit'),
  quota_files: int('limit'),
  permissions: { kind: 'map', rule: 'permissions', of: list('permissions') },
  used_quota_size: int('host'),
  used_quota_files: int('host'),
  last_quota_update: int('host'),
  upload_bandwidth: int('limit'),
  download_bandwidth: int('limit'),
  upload_data_transfer: int('limit'),
  download_data_transfer: int('limit'),
  // where it is set, the two before count no more
  total_data_transfer: int('named'),
  used_upload_data_transfer: int('host'),
  used_download_data_transfer: int('host'),
  last_login: int('host'),
  created_at: int('host'),
  updated_at: int('host'),
  first_download: int('host'),
  first_upload: int('host'),
  last_password_change: int('host'),
  description: text('free'),
  additional_info: text('free'),
  groups: list('groups', object({ name: text('groups'), type: int('groups') })),
  oidc_custom_fields: hidden({ kind: 'map', rule: 'host', of: { kind: 'any', rule: 'host' } }),
  role: text('host'),
  filters,
  virtual_folders: list('folders', folder),
  filesystem,
};

/** Dotted paths of the fields outside lists with one of these rules: `filesystem.s3config.endpoint`. */
export function pathsWith(rules: ReadonlySet<Rule>, fields: Fields = userFields, prefix = ''): string[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    if (field.kind === 'object' && !isSecret(field))
      return pathsWith(rules, field.fields, `${prefix}${name}.`);
    return rules.has(field.rule) ? [`${prefix}${name}`] : [];
  });
}

/** A secret is granted or not as a whole. */
export function isSecret(field: Field): boolean {
  return field.kind === 'object' && field.hidden === true;
}
