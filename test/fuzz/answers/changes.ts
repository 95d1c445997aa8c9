import fc from 'fast-check';
import type { HeaderList, HttpAnswer } from '../../../adapter/shapes.ts';
import { type ByteEdit, damaged, edits } from '../damage.ts';

/** What somebody on the way does to a header. */
type HeaderChange =
  | { readonly add: string; readonly value: string }
  | { readonly drop: string }
  | { readonly put: string; readonly instead: string }
  | { readonly edit: string; readonly at: number; readonly value: string }
  | { readonly twice: string }
  | { readonly respell: string }
  | { readonly uncover: string; readonly drop: boolean }
  | { readonly move: number };

const signed = [
  'content-type',
  'content-digest',
  'signature',
  'signature-input',
  'plugin-version',
  'plugin-cache',
  'plugin-scope',
  'plugin-reason',
];
/** What the signature is not about. */
const unrelated = ['set-cookie', 'cache-control', 'x-forwarded-for', 'date'];
const facts = [
  'plugin-grant',
  'plugin-dialogue',
  'plugin-refused',
  'plugin-scope',
  'plugin-cache',
  'plugin-reason',
];
const name = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...facts) },
  { weight: 1, arbitrary: fc.constantFrom(...unrelated) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...[...signed, 'plugin-elapsed', 'plugin-x', 'plugin-', 'Plugin-Scope', 'content-encoding', ''],
    ),
  },
);
const value = fc.oneof(
  fc.constantFrom(
    'max-age=300',
    '0.0.0.0/0',
    '203.0.113.0/24',
    'on a list',
    'merge',
    'time',
    'identity',
    'gzip',
    '',
    ' ',
    '0'.repeat(64),
  ),
  fc.string({ maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 10 }),
);
const component = fc.constantFrom(
  ...[
    '"@status"',
    '"content-type"',
    '"content-digest"',
    '"plugin-cache"',
    '"plugin-version"',
    '"plugin-scope"',
    '"plugin-reason"',
  ],
  ...['"@method";req', '"@target-uri";req', '"content-digest";req', '"signature";req;key="sig"'],
);

const headerChange: fc.Arbitrary<HeaderChange> = fc.oneof(
  fc.record({ add: name, value }),
  fc.record({ drop: name }),
  fc.record({ put: fc.constantFrom(...signed), instead: value }),
  fc.record({
    edit: fc.constantFrom(...signed),
    at: fc.nat({ max: 300 }),
    value: fc.string({ minLength: 1, maxLength: 3 }),
  }),
  fc.record({ twice: name }),
  fc.record({ respell: name }),
  fc.record({ uncover: component, drop: fc.boolean() }),
  fc.record({ move: fc.nat({ max: 10 }) }),
);

/** All that is done to one answer; nothing at all among it. */
export interface Changes {
  readonly headers: readonly HeaderChange[];
  readonly status: number | undefined;
  readonly body: readonly ByteEdit[];
  /** Instead of the honest answer: the one before it, or one that a stranger signed. */
  readonly instead: 'before' | 'stranger' | undefined;
}

const seldom = <T>(arbitrary: fc.Arbitrary<T>, otherwise: T) =>
  fc.oneof({ weight: 8, arbitrary: fc.constant(otherwise) }, { weight: 1, arbitrary });

export const changes: fc.Arbitrary<Changes> = fc.record({
  headers: fc.array(headerChange, { maxLength: 2 }),
  status: seldom<number | undefined>(
    fc.oneof(fc.constantFrom(200, 403), fc.integer({ min: 100, max: 599 })),
    undefined,
  ),
  body: seldom<readonly ByteEdit[]>(edits, []),
  instead: fc.oneof(
    { weight: 12, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom('before', 'stranger') },
  ),
});

/** Is all that was done what anybody on the way may do: other headers, in another order? */
export function areHarmless({ headers, status, body, instead }: Changes): boolean {
  const isHarmless = (change: HeaderChange) =>
    'move' in change || ('add' in change && unrelated.includes(change.add) && /^[ -~]*$/.test(change.value));
  return status === undefined && body.length === 0 && instead === undefined && headers.every(isHarmless);
}

/** The answer as it arrives. */
export function changed(answer: HttpAnswer, { headers, status, body }: Changes): HttpAnswer {
  return {
    ...answer,
    status: status ?? answer.status,
    headers: headers.reduce(withChange, answer.headers),
    body: damaged(answer.body, body),
  };
}

function withChange(headers: HeaderList, change: HeaderChange): HeaderList {
  const each = (wanted: string, make: (name: string, value: string) => HeaderList) =>
    headers.flatMap(([name, value]) => (name === wanted ? make(name, value) : [[name, value] as const]));
  if ('add' in change) return [...headers, [change.add, change.value]];
  if ('put' in change) return each(change.put, (name) => [[name, change.instead]]);
  if ('twice' in change)
    return each(change.twice, (name, value) => [
      [name, value],
      [name, value],
    ]);
  if ('respell' in change)
    return each(change.respell, (name, value) => [[name.toUpperCase(), ` ${value}\t`]]);
  if ('uncover' in change) {
    const field = /^"([a-z-]+)"$/.exec(change.uncover)?.[1] ?? '';
    const rest = change.drop ? headers.filter(([name]) => name !== field) : headers;
    return rest.map(([name, value]) => [
      name,
      name === 'signature-input' ? value.replace(`${change.uncover} `, '') : value,
    ]);
  }
  if ('edit' in change) {
    const { at, value: piece } = change;
    return each(change.edit, (name, value) => [
      [name, value.slice(0, at) + piece + value.slice(at + piece.length)],
    ]);
  }
  if ('move' in change) return [...headers.slice(change.move), ...headers.slice(0, change.move)];
  return headers.filter(([name]) => name !== change.drop);
}
