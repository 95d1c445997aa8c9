import type { User, Value } from './hosts.ts';
import { permissionsOf } from './permissions.ts';

/** One login, as far as the rules of docs/auth.md look at it. */
export interface About {
  readonly isNew: boolean;
  readonly offered: { readonly publicKey?: string; readonly certificate?: string };
}

/** May this field become so? `was` and `is` are as Go reads them, undefined for its zero. */
type Rule = (was: Value | undefined, is: Value | undefined, about: Login) => boolean;

interface Login extends About {
  /** Is the user in a group, before or after? */
  readonly grouped: boolean;
  readonly after: User;
}

const list = (value: Value | undefined): readonly Value[] => (Array.isArray(value) ? value : []);
const text = (value: Value | undefined) =>
  JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}n` : each));
const has = (whole: Value | undefined, part: Value) => list(whole).some((each) => text(each) === text(part));
const number = (value: Value | undefined) =>
  typeof value === 'number' || typeof value === 'bigint' ? value : 0;
const nameOf = (value: Value) => String(Object(value).name);
const isTeam = (name: Value | undefined) => typeof name === 'string' && name.startsWith('team-');

const always: Rule = () => true;
/** Lowered, or set where there was none and no group could have one. */
const limit: Rule = (was, is, { grouped }) =>
  number(is) > 0 && (was === undefined ? !grouped : number(is) < number(was));
const raised: Rule = (was, is, { grouped }) => number(is) > number(was) && (was !== undefined || !grouped);
const moreOf: Rule = (was, is) => list(was).every((each) => has(is, each));
const first: Rule = (was, _, { grouped }) => was === undefined && !grouped;
/** Beside the entries that are there, the one that the client offers. */
const offered =
  (what: 'publicKey' | 'certificate'): Rule =>
  (was, is, about) =>
    list(is).every(
      (each) => has(was, each) || (about.offered[what] !== undefined && each === about.offered[what]),
    );
const inBucket =
  (config: string, bucket: string): Rule =>
  (_, __, { after }) =>
    isTeam(Object(Object(after['filesystem'])[config])[bucket]);

/** Those of a list that came or went. */
function changed(was: Value | undefined, is: Value | undefined): readonly Value[] {
  return [...list(was).filter((each) => !has(is, each)), ...list(is).filter((each) => !has(was, each))];
}

/** A virtual folder that came or went is one of the ceiling's, and brings only where it is and how much it takes. */
const folders: Rule = (was, is) =>
  changed(was, is).every((folder) => {
    const known = list(was).find((each) => nameOf(each) === nameOf(folder));
    const own = ['name', 'virtual_path', 'quota_size', 'quota_files'];
    const brought = Object.entries(Object(folder)).filter(([key]) => !own.includes(key));
    return (
      isTeam(nameOf(folder)) &&
      brought.every(([key, value]) => text(value as Value) === text(Object(known)[key]))
    );
  });

const home: Rule = (_, is) =>
  typeof is === 'string' &&
  /^\/srv\/sftp(?:\/[^/\\]+)*$/.test(is) &&
  !is.split('/').some((part) => part === '.' || part === '..');

/** What is written plainly, and gives nobody more anywhere; a group's own could count where an entry goes. */
const permissions: Rule = (was, is, { grouped }) => {
  const [before, after] = [permissionsOf(was), permissionsOf(is)];
  const came = after.paths.filter((path) => !before.paths.includes(path));
  return (
    came.every((path) => path === '/' || /^(?:\/[^/]+)+$/.test(path)) &&
    !came.some((path) => path.split('/').some((part) => part === '.' || part === '..')) &&
    !(grouped && before.paths.some((path) => !after.paths.includes(path))) &&
    after.areWithin(before, ['list', 'download'])
  );
};

/** The table of docs/auth.md for the ceiling of these tests. What is not here stays as it was. */
export const rules: Readonly<Record<string, Rule>> = {
  status: (_, is, { isNew }) => is === undefined || (isNew && is === 1),
  email: always,
  description: always,
  additional_info: always,
  home_dir: home,
  permissions,
  groups: (was, is) => changed(was, is).every((each) => isTeam(nameOf(each)) || nameOf(each) === 'staff'),
  virtual_folders: folders,
  public_keys: offered('publicKey'),
  'filters.tls_certs': offered('certificate'),
  ...Object.fromEntries(
    [
      ...['expiration_date', 'max_sessions', 'quota_size', 'quota_files', 'upload_bandwidth'],
      ...['download_bandwidth', 'upload_data_transfer', 'download_data_transfer'],
      ...['filters.max_upload_file_size', 'filters.default_shares_expiration'],
      ...['filters.max_shares_expiration', 'filters.password_expiration'],
    ].map((path) => [path, limit]),
  ),
  'filters.ftp_security': raised,
  'filters.password_strength': raised,
  'filters.require_password_change': (_, is) => is === true,
  'filters.allowed_ip': (was, is, about) =>
    list(is).length > 0 && (first(was, is, about) || list(is).every((each) => has(was, each))),
  'filters.denied_ip': moreOf,
  'filters.denied_login_methods': moreOf,
  'filters.denied_protocols': moreOf,
  'filters.web_client': moreOf,
  'filters.two_factor_protocols': moreOf,
  'filters.file_patterns': first,
  'filters.access_time': first,
  'filters.start_directory': always,
  'filesystem.provider': (_, is) => is === undefined || is === 1,
  'filesystem.s3config.bucket': (_, is) => isTeam(is),
  'filesystem.gcsconfig.bucket': (_, is) => isTeam(is),
  'filesystem.azblobconfig.container': (_, is) => isTeam(is),
  ...Object.fromEntries(
    ['key_prefix', 'region', 'storage_class', 'force_path_style'].map((key) => [
      `filesystem.s3config.${key}`,
      inBucket('s3config', 'bucket'),
    ]),
  ),
  ...Object.fromEntries(
    ['key_prefix', 'automatic_credentials', 'storage_class'].map((key) => [
      `filesystem.gcsconfig.${key}`,
      inBucket('gcsconfig', 'bucket'),
    ]),
  ),
  ...Object.fromEntries(
    ['key_prefix', 'access_tier'].map((key) => [
      `filesystem.azblobconfig.${key}`,
      inBucket('azblobconfig', 'container'),
    ]),
  ),
  ...Object.fromEntries(
    ['osconfig', 'cryptconfig'].flatMap((config) =>
      ['read_buffer_size', 'write_buffer_size'].map((key) => [`filesystem.${config}.${key}`, always]),
    ),
  ),
  ...Object.fromEntries(
    [
      ...['s3config.upload_part_size', 's3config.upload_concurrency', 's3config.download_part_size'],
      ...[
        's3config.upload_part_max_time',
        's3config.download_concurrency',
        's3config.download_part_max_time',
      ],
      ...['gcsconfig.upload_part_size', 'gcsconfig.upload_part_max_time'],
      ...['azblobconfig.upload_part_size', 'azblobconfig.upload_concurrency'],
      ...['azblobconfig.download_part_size', 'azblobconfig.download_concurrency'],
      ...['sftpconfig.disable_concurrent_reads', 'sftpconfig.buffer_size'],
    ].map((path) => [`filesystem.${path}`, always]),
  ),
};

/** Keys of tomorrow's SFTPGo anywhere in a user, each with its place and value: Go's reading of today has none. */
export function strangers(value: Value, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => {
    const own = key.endsWith('_tomorrow') || key === '__proto__' ? [`${path}${key}=${text(each)}`] : [];
    return [...own, ...strangers(each, `${path}${Array.isArray(value) ? '' : key}.`)];
  });
}

/** The fields in which a user that Go read differs from the one before, and those of them that no rule allows. */
export function compare(before: User, after: User, about: About): { changed: string[]; excess: string[] } {
  const [was, is] = [leavesOf(before), leavesOf(after)];
  const grouped = was.has('groups') || is.has('groups');
  // with another provider, what was left over of its settings comes into force
  const moved = was.get('filesystem.provider') !== is.get('filesystem.provider');
  const changed: string[] = [];
  const excess: string[] = [];
  for (const path of new Set([...was.keys(), ...is.keys()])) {
    const forgotten = moved && path.startsWith('filesystem.') && path !== 'filesystem.provider';
    const [old, now] = [forgotten ? undefined : was.get(path), is.get(path)];
    if (text(old) === text(now)) continue;
    changed.push(path);
    if (rules[path]?.(old, now, { ...about, grouped, after }) !== true) excess.push(path);
  }
  return { changed, excess };
}

/** Fields by their dotted path, without Go's zeros; lists and maps are one field each. */
function leavesOf(user: User, prefix = '', found = new Map<string, Value>()): Map<string, Value> {
  for (const [key, value] of Object.entries(user)) {
    const path = `${prefix}${key}`;
    const whole =
      path === 'permissions' ||
      path === 'oidc_custom_fields' ||
      typeof value !== 'object' ||
      Array.isArray(value);
    if (!whole && value !== null) leavesOf(value as User, `${path}.`, found);
    else if (!isZero(value)) found.set(path, path === 'permissions' ? value : withoutZeros(value));
  }
  return found;
}

function isZero(value: Value): boolean {
  if (value === null || value === '' || value === 0 || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** The members of list elements, which Go writes with their zeros or without. */
function withoutZeros(value: Value): Value {
  if (Array.isArray(value)) return value.map(withoutZeros);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([key, each]): [string, Value] => [key, withoutZeros(each)]);
  return Object.fromEntries(members.filter(([, each]) => !isZero(each)));
}
