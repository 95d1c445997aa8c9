import fc from 'fast-check';
import type { Lock, LockedFunction } from '../../../proto/lock/schema.ts';
import { newKey, publicOf } from '../../support/keys.ts';
import { lockWith } from '../../support/role-folder.ts';

const hex = (digit: string) => digit.repeat(64);
const keys = [0, 1, 2, 3].map(() => publicOf(newKey()));
const [lambdaKey, workerKey, httpsKey, spareKey] = keys;
const uuid = '01234567-89ab-cdef-0123-456789abcdef';

function locked(entry: Pick<LockedFunction, 'target' | 'address' | 'keys'>, version: string): LockedFunction {
  const accepts = [
    {
      version,
      files: { 'index.mjs': hex('a') },
      config: { runtime: 'nodejs24.x' },
      inputs: { 'x@1': hex('b') },
    },
  ];
  return { type: 'ipfilter', handles: ['CheckIP', 'Reload'], accepts, ...entry };
}

const only = (key: (typeof keys)[number] | undefined) => (key === undefined ? [] : [key]);

/** A lock with a function on every target. */
export const goodLock: Lock = lockWith({
  'a@live': locked(
    {
      target: 'lambda',
      address: 'arn:aws:lambda:eu-central-1:123456789012:function:a',
      keys: only(lambdaKey),
    },
    '7',
  ),
  'b@live': locked(
    { target: 'worker', address: 'https://b.example.workers.dev', keys: only(workerKey) },
    uuid,
  ),
  'c@live': locked(
    { target: 'https', address: 'https://office.example.com/c', keys: only(httpsKey) },
    hex('0'),
  ),
  'd@live': locked({ target: 'local', address: 'd.mjs', keys: [] }, hex('1')),
});

/** One change of a lock, whose verdict is known. */
export interface Change {
  readonly path: readonly (string | number)[];
  /** Absent: the field is removed. */
  readonly value?: unknown;
  readonly valid: boolean;
}

type Path = Change['path'];

function set(path: Path, valid: readonly unknown[], invalid: readonly unknown[]): fc.Arbitrary<Change> {
  const of = (values: readonly unknown[], isValid: boolean) =>
    fc.constantFrom(...values).map((value): Change => ({ path, value, valid: isValid }));
  if (valid.length === 0) return of(invalid, false);
  return fc.oneof(of(valid, true), of(invalid, false));
}

const others = [null, true, 0, 1.5, '', [], {}, ['x'], [null]];
const at = (name: string, ...rest: Path): Path => ['functions', `${name}@live`, ...rest];
const invalidUrls = [
  ...[
    'http://office.example.com',
    'http://10.0.0.1',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
  ],
  ...[
    'https://office.example.com?a=1',
    'https://office.example.com/#x',
    'https://office.example.com/?',
    'https://a@office.example.com',
  ],
  ...[
    'https://:b@office.example.com',
    'ftp://office.example.com',
    'file:///etc/passwd',
    'office.example.com',
    '//office.example.com',
    'https://',
    'https://a b',
  ],
  ...['javascript:alert(1)', 'data:text/plain,x', ...others],
];
const validUrls = [
  ...[
    'https://office.example.com',
    'https://office.example.com:8443/a/b',
    'HTTPS://OFFICE.example.com/',
    'https://[2001:db8::7]/',
    'https://203.0.113.7',
  ],
  ...[
    'http://127.0.0.1:8787',
    'http://127.9.9.9',
    'http://localhost:1',
    'http://[::1]:8787',
    'http://2130706433/',
  ],
];
const arn = 'arn:aws:lambda:eu-central-1:123456789012:function:a';
const invalidArns = [
  ...[
    `${arn}:7`,
    `${arn}:$LATEST`,
    `${arn}:live`,
    `${arn}/x`,
    `${arn} `,
    arn.toUpperCase(),
    arn.slice(0, -1),
    arn.replace('123456789012', '123'),
  ],
  ...[
    arn.replace('lambda', 'lambda2'),
    arn.replace('eu-central-1', 'eu'),
    `arn:aws:lambda:eu-central-1:123456789012:function:${'a'.repeat(65)}`,
  ],
  ...['a', 'https://lambda.eu-central-1.amazonaws.com', ...others],
];
const strings = (...values: readonly string[]) => [...values, ...others];

/** Every field of a lock, with values that it may have and values that it may not. */
const fields: readonly fc.Arbitrary<Change>[] = [
  set(['format'], [1], [0, 2, '1', ...others]),
  set(['seq'], [1, 2, 2 ** 53 - 1], [0, -1, 1.5, 2 ** 53, '1', null]),
  set(
    ['issued'],
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.123Z'],
    strings(
      '2026-01-01',
      '2026-13-01T00:00:00Z',
      '2026-01-01T00:00:00',
      '2026-02-30T00:00:00Z',
      '1767225600',
    ),
  ),
  set(['expires'], ['2099-01-01T00:00:00Z'], strings('never', '2099-01-01T00:00:00+01:00')),
  set(
    ['functions'],
    [{}],
    others.filter((value) => JSON.stringify(value) !== '{}'),
  ),
  set(
    at('a', 'type'),
    ['auth', 'kms', 'notifier', 'metadata', 'eventsearcher', 'ipfilter'],
    strings('Auth', 'filter'),
  ),
  set(at('c', 'target'), ['https'], strings('lambda', 'worker', 'local', 'HTTPS', 'azure')),
  set(
    at('a', 'address'),
    [arn, arn.replace('aws', 'aws-cn'), arn.replace('eu-central-1', 'us-gov-west-1')],
    [...invalidArns, ...validUrls],
  ),
  set(at('b', 'address'), validUrls, invalidUrls),
  set(at('c', 'address'), validUrls, invalidUrls),
  set(at('d', 'address'), ['d.mjs', '/opt/d.mjs', 'x'], ['', ...others]),
  set(at('c', 'handles'), [['CheckIP'], ['x', 'y']], [[], [''], [1], 'CheckIP', null, {}]),
  set(
    at('a', 'accepts', 0, 'version'),
    ['1', '42', '9'.repeat(19)],
    strings('$LATEST', 'live', '0', '01', '-1', '1.0', '9'.repeat(20), ' 1', '1\n'),
  ),
  set(
    at('b', 'accepts', 0, 'version'),
    [uuid, uuid.replace('0', 'f')],
    strings(uuid.toUpperCase(), uuid.slice(1), uuid.replaceAll('-', ''), `${uuid} `, 'latest'),
  ),
  set(at('c', 'accepts', 0, 'version'), [hex('0'), '1'], others),
  set(
    at('c', 'accepts', 0, 'files'),
    [{}, { a: hex('0') }],
    [{ a: hex('A') }, { a: hex('0').slice(1) }, { a: '' }, { '': hex('0') }, { a: null }, [], null, 'x'],
  ),
  set(at('c', 'accepts', 0, 'inputs'), [{}, { 'x@1': hex('9') }], [{ x: 'sha256' }, { x: 1 }, [], null]),
  set(at('c', 'accepts', 0, 'config'), [{}, { a: null }, { a: { b: [1, 'x', true] } }], [[], null, 'x', 1]),
  set(at('c', 'accepts'), [], [[], {}, null, [null]]),
  set(
    at('c', 'keys'),
    only(spareKey).map((key) => [key]),
    [[], [null], ['x'], {}, null, [{ ...httpsKey, d: httpsKey?.x }], [workerKey], [httpsKey, lambdaKey]],
  ),
  set(at('d', 'keys'), [[]], [only(spareKey), null, {}]),
  set(at('c', 'keys', 0, 'kty'), ['OKP'], strings('EC', 'RSA', 'oct', 'okp')),
  set(at('c', 'keys', 0, 'crv'), ['Ed25519'], strings('X25519', 'Ed448', 'P-256')),
  set(
    at('c', 'keys', 0, 'x'),
    [spareKey?.x],
    strings(
      `${httpsKey?.x}=`,
      httpsKey?.x.slice(1) ?? '',
      `${httpsKey?.x.slice(0, 42)}B`,
      `${httpsKey?.x} `,
      `+${httpsKey?.x.slice(1)}`,
    ),
  ),
];

const validNames = ['office@live', 'a@b', 'a-1@test', `${'a'.repeat(63)}@${'b'.repeat(63)}`];
const invalidNames = [
  'office',
  'office@',
  '@live',
  'Office@live',
  'office@live@x',
  'office@Live',
  ' a@b',
  'a@b\n',
  '-a@b',
  `${'a'.repeat(64)}@b`,
  'é@live',
  '',
];
const spare = locked(
  { target: 'https', address: 'https://spare.example.com', keys: only(spareKey) },
  hex('2'),
);
const named = fc.oneof(
  fc
    .constantFrom(...validNames)
    .map((name): Change => ({ path: ['functions', name], value: spare, valid: true })),
  fc
    .constantFrom(...invalidNames)
    .map((name): Change => ({ path: ['functions', name], value: spare, valid: false })),
);

const everywhere: readonly Path[] = [
  [],
  at('a'),
  at('b'),
  at('c'),
  at('d'),
  at('c', 'accepts', 0),
  at('c', 'keys', 0),
];
const unknown = fc
  .tuple(
    fc.constantFrom(...everywhere),
    fc.constantFrom('extra', 'Format', 'kid2', 'x5c', 'd', 'address2', 'layers'),
    fc.constantFrom<unknown>(null, true, 'x', {}),
  )
  .map(([path, key, value]): Change => ({ path: [...path, key], value, valid: false }));

const optional = new Set(['expires', 'kid']);
const required = fc
  .constantFrom<Path>(
    ...['format', 'seq', 'issued', 'functions'].map((key): Path => [key]),
    ...['type', 'target', 'address', 'handles', 'accepts', 'keys'].map((key) => at('c', key)),
    ...['version', 'files', 'config', 'inputs'].map((key) => at('c', 'accepts', 0, key)),
    ...['kty', 'crv', 'x'].map((key) => at('c', 'keys', 0, key)),
    ['expires'],
  )
  .map((path): Change => ({ path, valid: optional.has(String(path.at(-1))) }));

/** A change of a good lock: of a field's value, a name, a key that nobody knows, a field that is missing. */
export const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 12, arbitrary: fc.oneof(...fields) },
  { weight: 1, arbitrary: named },
  { weight: 1, arbitrary: unknown },
  { weight: 1, arbitrary: required },
);

/** The good lock with a change. */
export function changedLock({ path, value }: Change): unknown {
  return withValue(goodLock, path, value);
}

function withValue(tree: unknown, [key, ...inner]: Path, value: unknown): unknown {
  if (key === undefined) return value;
  if (Array.isArray(tree)) return tree.with(Number(key), withValue(tree[Number(key)], inner, value));
  return { ...Object(tree), [key]: withValue(Object(tree)[key], inner, value) };
}
