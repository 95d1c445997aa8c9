import fc from 'fast-check';
import { type Field, type Fields, isSecret, userFields } from '../../../adapter/policies/auth/user-fields.ts';
import { rules } from './allowed.ts';
import { type HostName, hosts, jsonOf, type offers, type User, type Value } from './hosts.ts';

/** One answer of a function to one login. */
export interface Answer {
  readonly host: HostName;
  readonly offer: keyof typeof offers;
  readonly grant: 'merge' | 'replace' | 'unchanged' | undefined;
  readonly user: Uint8Array;
}

const utf8 = new TextEncoder();

export const hostName = fc.constantFrom(...(Object.keys(hosts) as HostName[]));
export const offer = fc.constantFrom('nothing', 'key', 'certificate');
export const grant = fc.constantFrom('merge', 'replace');

/** Every field that SFTPGo's SDK has, by its dotted path; lists, maps and secrets are one each. */
const paths = pathsOf(userFields);

function pathsOf(fields: Fields, prefix = ''): (readonly [path: string, field: Field])[] {
  return Object.entries(fields).flatMap(([name, field]): (readonly [string, Field])[] =>
    field.kind === 'object' && !isSecret(field)
      ? pathsOf(field.fields, `${prefix}${name}.`)
      : [[`${prefix}${name}`, field]],
  );
}

const homes = [
  ...[
    '/srv/sftp',
    '/srv/sftp/team',
    '/srv/sftp/a/b',
    '/srv/sftp/é',
    '/srv/sftp/...',
    '/srv/sftpx',
    '/srv',
    '/',
  ],
  ...[
    '/srv/sftp/',
    '/srv/sftp/..',
    '/srv/sftp/../etc',
    '/srv/sftp/a/../../../etc',
    '/srv/sftp/./a',
    '/srv/sftp//a',
  ],
  ...['/srv/sftp\\..', 'srv/sftp/a', '/SRV/sftp', '', '/srv/sftp/a/.', '/home/alice'],
];
const buckets = ['team-a', 'team-b', 'team-', 'team', 'my-team-a', 'Team-a', 'other', 'x', ''];
const groupNames = ['team-a', 'staff', 'admins', 'staffx', 'team', ''];
const virtualPaths = [
  '/',
  '/a',
  '/a/b',
  '/closed',
  '/closed/x',
  '/in*',
  '/inner',
  '/*',
  '/a/',
  'a',
  '/a//b',
  '/../a',
];
const permissionNames = [
  'list',
  'download',
  'upload',
  'rename',
  'rename_files',
  'delete_files',
  'delete',
  '*',
  'fly',
];

const some = <T extends Value>(values: readonly T[], maxLength = 3) =>
  fc.uniqueArray(fc.constantFrom(...values), { maxLength }) as fc.Arbitrary<Value>;
const words = [
  ...['', 'x', 'alice', 'admin', '*', 'é\u2028<', '\u{1f600}', '10.0.0.0/8', '192.0.2.0/24', '0.0.0.0/0'],
  ...['FTP', 'HTTP', 'publickey', 'shares-disabled', 'SSH'],
];
const keyTexts = [
  'ssh-ed25519 STORED alice@home',
  'ssh-rsa OLD',
  'ssh-ed25519 OFFERED',
  'ssh-ed25519 NEW',
  '',
];
const certificates = ['PEM STORED', 'PEM OFFERED', 'PEM NEW'];
const numbers = [
  0,
  1,
  2,
  3,
  4,
  5,
  99,
  100,
  101,
  999,
  1000,
  1001,
  -1,
  2 ** 53 - 1,
  9_007_199_254_740_993n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  2n ** 63n,
];

const permissions = fc
  .dictionary(fc.constantFrom(...virtualPaths), some(permissionNames), { maxKeys: 3 })
  .chain((given) =>
    // mostly with what the two users have, so that a change is one of a few paths
    fc
      .constantFrom({}, hosts.restricted.record['permissions'], hosts.grouped.record['permissions'])
      .map((kept) => ({ ...Object(kept), ...given })),
  );
/** Now and then a field of tomorrow, which the Go of today does not see. */
const strange = fc.oneof(
  { weight: 9, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constant({ seen_tomorrow: 1 }) },
);
const group = fc
  .record({ name: fc.constantFrom(...groupNames), type: fc.nat({ max: 3 }) })
  .chain((known) => strange.map((more) => ({ ...known, ...more })));
const knownGroups = hosts.grouped.record['groups'] as readonly Value[];
const knownFolders = hosts.restricted.record['virtual_folders'] as readonly Value[];
const folder = fc.record(
  {
    name: fc.constantFrom('team-x', 'team-y', 'other'),
    virtual_path: fc.constantFrom('/x', '/y', '/'),
    quota_size: fc.constantFrom(-1, 0, 5, 6),
    mapped_path: fc.constantFrom('/srv/x', '/etc'),
    filesystem: fc.constantFrom({ provider: 0 }, { provider: 1, s3config: { bucket: 'x' } }, {}),
  },
  { requiredKeys: ['name'] },
);
const listWith = (known: readonly Value[], one: fc.Arbitrary<Value>) =>
  fc
    .tuple(fc.subarray([...known]), fc.array(one, { maxLength: 2 }))
    .map(([kept, more]) => [...kept, ...more]);

/** Values where a type alone says too little, by the field's name. */
const special: Readonly<Record<string, fc.Arbitrary<Value>>> = {
  home_dir: fc.constantFrom(...homes),
  bucket: fc.constantFrom(...buckets),
  container: fc.constantFrom(...buckets),
  provider: fc.integer({ min: -1, max: 7 }),
  status: fc.constantFrom(0, 1, 2, -1),
  username: fc.constantFrom('alice', 'admin', '', 'Alice'),
  permissions,
  groups: listWith(knownGroups, group),
  virtual_folders: listWith(knownFolders, folder),
  public_keys: some(keyTexts),
  tls_certs: some(certificates),
};

function typical(path: string, field: Field): fc.Arbitrary<Value> {
  return special[path.split('.').at(-1) ?? ''] ?? byKind(field);
}

function byKind(field: Field): fc.Arbitrary<Value> {
  switch (field.kind) {
    case 'text':
      return fc.constantFrom(...words);
    case 'int':
      return fc.constantFrom(...numbers);
    case 'flag':
      return fc.boolean();
    case 'list':
      return field.of.kind === 'text' ? some(words) : fc.array(byKind(field.of), { maxLength: 2 });
    case 'map':
      return fc.dictionary(fc.constantFrom('a', '/', 'B'), byKind(field.of), { maxKeys: 2 });
    case 'object':
      return fc.record(
        Object.fromEntries(Object.entries(field.fields).map(([key, inner]) => [key, byKind(inner)])),
        { requiredKeys: [] },
      ) as fc.Arbitrary<User>;
    case 'any':
      return fc.constantFrom(null, {}, { a: 1 }, 'x');
  }
}

/** One field that an answer sets, or removes (undefined). */
export interface Edit {
  readonly path: readonly string[];
  readonly value: Value | undefined;
}

const unknownPaths = [
  ['seen_tomorrow'],
  ['filters', 'superuser_tomorrow'],
  ['filesystem', 's3config', 'x_tomorrow'],
  ['field_of_tomorrow'],
  ['filters', 'filter_of_tomorrow'],
  ['__proto__'],
];

/** A change of one field of an answer: of the right type, nearly always. */
function editOf(fields: typeof paths): fc.Arbitrary<Edit> {
  const one = fc.constantFrom(...fields);
  const split = ([path]: (typeof paths)[number], value: fc.Arbitrary<Value | undefined>) =>
    fc.record({ path: fc.constant(path.split('.')), value });
  return fc.oneof(
    { weight: 60, arbitrary: one.chain(([path, field]) => split([path, field], typical(path, field))) },
    { weight: 4, arbitrary: one.chain((known) => split(known, fc.constant(undefined))) },
    {
      weight: 1,
      arbitrary: one.chain((known) =>
        split(known, fc.constantFrom<Value>(null, '', 0, 1.5, [], {}, 'x', true)),
      ),
    },
  );
}

const unknown = fc.record({
  path: fc.constantFrom(...unknownPaths),
  value: fc.constantFrom<Value>(true, { a: 1 }, { a: 2 }, 'x'),
});
const allowedPaths = paths.filter(([path]) => path in rules);

/** Of any field. */
export const edit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 15, arbitrary: editOf(paths) },
  { weight: 15, arbitrary: editOf(allowedPaths) },
  { weight: 1, arbitrary: unknown },
);

/** An answer that was accepted, with some fields changed. */
export function edited(
  { host, offer, grant }: Pick<Answer, 'host' | 'offer'> & { grant: 'merge' | 'replace' },
  edits: readonly Edit[],
): Answer {
  const user = edits.reduce<User>(
    (whole, { path, value }) => withValue(whole, path, value, grant),
    hosts[host][grant],
  );
  return { host, offer, grant, user: utf8.encode(jsonOf(user)) };
}

function withValue(
  user: User,
  [key = '', ...rest]: readonly string[],
  value: Value | undefined,
  how: 'merge' | 'replace',
): User {
  const entries = new Map(Object.entries(user));
  if (rest.length > 0) {
    const inner = entries.get(key);
    entries.set(
      key,
      withValue(typeof inner === 'object' && !Array.isArray(inner) ? Object(inner) : {}, rest, value, how),
    );
  } else if (value !== undefined) entries.set(key, value);
  else if (how === 'merge') entries.set(key, null);
  else entries.delete(key);
  return Object.fromEntries(entries);
}

/** A member of an object as JSON text, its key as it is or, seldom, as only Go would take it. */
const member = fc.record({
  edit: fc.oneof({ weight: 6, arbitrary: editOf(allowedPaths) }, { weight: 1, arbitrary: edit }),
  key: fc.oneof(
    { weight: 30, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom('upper', 'long s', 'escaped') },
  ),
});

/** Answers out of nothing but fields, in any order, doubled and misspelt ones among them, written as text. */
export const anyText: fc.Arbitrary<string> = fc
  .array(member, { minLength: 1, maxLength: 3 })
  .map((members) => `{${members.map(({ edit, key }) => memberText(edit, key)).join(',')}}`);

function memberText({ path, value }: Edit, spelling: string | undefined): string {
  const [key = '', ...rest] = path;
  const inner = rest.length > 0 ? `{${memberText({ path: rest, value }, spelling)}}` : jsonOf(value ?? null);
  switch (spelling) {
    case 'upper':
      return `"${key.toUpperCase()}":${inner}`;
    case 'long s':
      return `"${key.replace('s', '\u017f').replace('k', '\u212a')}":${inner}`;
    case 'escaped':
      return `"\\u${key.charCodeAt(0).toString(16).padStart(4, '0')}${key.slice(1)}":${inner}`;
    default:
      return `${JSON.stringify(key)}:${inner}`;
  }
}
