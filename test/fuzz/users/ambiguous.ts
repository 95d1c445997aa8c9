import fc from 'fast-check';
import { type Answer, edit, edited, grant, hostName, offer } from './answers.ts';
import { hosts } from './hosts.ts';

/** An answer that is to be refused, with the code for it. */
export interface Refusable extends Answer {
  readonly code: 'ANSWER_INVALID' | 'GRANT_REFUSED';
}

const knownKeys = [
  'username',
  'status',
  'permissions',
  'home_dir',
  'filters',
  'filesystem',
  'description',
  'quota_size',
  'public_keys',
];
/** Spellings that Go takes for the same key, and JavaScript for another. */
const respelt = fc
  .constantFrom(...knownKeys)
  .chain((key) =>
    fc.constantFrom(
      ...[
        key.toUpperCase(),
        key.replace('s', '\u017f'),
        key.replace('k', '\u212a'),
        `${key[0]?.toUpperCase()}${key.slice(1)}`,
      ].filter((spelling) => spelling !== key),
    ),
  );
const halves = ['\\ud800', '\\udc00x', 'a\\udbff', '\\u0000', 'a\\u0000b'];
const typed = [
  [
    'quota_size',
    ['1e2', '1.0', '1.5', '9223372036854775808', '-9223372036854775809', '"1"', 'true', '[]', '{}'],
  ],
  ['description', ['1', 'true', '{}', '["x"]']],
  ['permissions', ['[]', '"/"', '{"/":"list"}', '{"/":[1]}', '{"/":{"list":true}}']],
  ['groups', ['{"name":"staff"}', '["staff"]', '[{"name":1}]']],
  ['filters', ['[]', '{"denied_protocols":"FTP"}', '{"hooks":[]}', '{"is_anonymous":0}']],
] as const;
const wrongValue = fc
  .constantFrom(...typed)
  .chain(([key, values]) => fc.constantFrom(...values).map((value) => `"${key}":${value}`));
/** Deeper than a reader may be asked to go. */
const deep = fc.integer({ min: 32, max: 400 }).chain((levels) =>
  fc.constantFrom('[]', '{}').map(([open = '', close = '']) => {
    const inner = open === '{' ? '{"a":' : '[';
    return `${inner.repeat(levels)}1${close.repeat(levels)}`;
  }),
);

/** A member that must not be in an answer, put before or behind the others. */
const member = fc.oneof(
  respelt.map((key) => `${JSON.stringify(key)}:null`),
  fc.constantFrom(...halves).map((half) => `"description_":"${half}"`),
  fc.constantFrom(...halves).map((half) => `"${half}":1`),
  wrongValue,
  deep.map((value) => `"field_of_tomorrow":${value}`),
  fc.constantFrom(
    '"x":01',
    '"x":.5',
    '"x":+1',
    '"x":NaN',
    '"x":\'a\'',
    '"x"',
    'x:1',
    '"x":tru',
    '"x":"\t"',
    '"x":"\\x41"',
  ),
);

/** Texts that are no user, with white space of every kind around them. */
const noUser = fc
  .tuple(
    fc.constantFrom('', ' ', '\n', '\ufeff', '\u00a0', '//\n'),
    fc.constantFrom(
      '',
      '{}',
      'null',
      '[]',
      '[{"username":"alice"}]',
      '"alice"',
      '0',
      'true',
      '{',
      '{"a":1}{}',
      '{"a":1},',
    ),
  )
  .map((parts) => parts.join(''));

const base = fc.record({ host: hostName, offer, grant, edits: fc.array(edit, { maxLength: 1 }) });
const decoder = new TextDecoder();
const utf8 = new TextEncoder();

/** Puts a member into an object's text. */
function withMember(text: string, member: string, first: boolean): string {
  return first ? `{${member},${text.slice(1)}` : `${text.slice(0, -1)},${member}}`;
}

const withBadMember = fc
  .record({ base, member, first: fc.boolean() })
  .map(({ base, member, first }): Refusable => {
    const { edits, ...login } = base;
    const answer = edited(login, edits);
    return {
      ...answer,
      user: utf8.encode(withMember(decoder.decode(answer.user), member, first)),
      code: 'ANSWER_INVALID',
    };
  });

/** One of the answer's own members a second time, or one deep inside that is there twice. */
const withTwin = fc
  .record({ base, index: fc.nat(), first: fc.boolean(), inside: fc.boolean() })
  .map(({ base, index, first, inside }): Refusable => {
    const { edits, ...login } = base;
    const answer = edited(login, edits);
    const text = decoder.decode(answer.user);
    const keys = Object.keys(JSON.parse(text));
    const key = keys[index % keys.length] ?? '';
    const twin = inside ? '"field":{"a":[{"b":1,"b":1}]}' : `${JSON.stringify(key)}:null`;
    const user = withMember(text, twin, first);
    return { ...answer, user: utf8.encode(user), code: 'ANSWER_INVALID' };
  });

const withoutUser = fc
  .record({ host: hostName, offer, grant, text: noUser })
  .map(({ text, ...rest }): Refusable => ({ ...rest, user: utf8.encode(text), code: 'ANSWER_INVALID' }));

const withoutGrant = base.map(
  ({ edits, ...login }): Refusable => ({ ...edited(login, edits), grant: undefined, code: 'GRANT_REFUSED' }),
);

const ofAnother = fc
  .record({
    host: hostName,
    offer,
    grant,
    username: fc.constantFrom('admin', 'Alice', '', 'alice ', 'alice/../bob', 'al\u0131ce'),
  })
  .map(
    ({ username, ...login }): Refusable => ({
      ...edited(login, [{ path: ['username'], value: username }]),
      code: 'GRANT_REFUSED',
    }),
  );

const unasked = fc
  .record({ host: hostName, offer, user: fc.constantFrom('', '{}', '{"username":"alice"}') })
  .filter(({ host, user }) => user !== '' || hosts[host].isNew)
  .map(
    ({ user, ...login }): Refusable => ({
      ...login,
      grant: 'unchanged',
      user: utf8.encode(user),
      code: user === '' ? 'GRANT_REFUSED' : 'ANSWER_INVALID',
    }),
  );

/** Answers whose refusal is known beforehand. */
export const ambiguous = fc.oneof(
  { weight: 6, arbitrary: withBadMember },
  { weight: 3, arbitrary: withTwin },
  { weight: 1, arbitrary: withoutUser },
  { weight: 1, arbitrary: withoutGrant },
  { weight: 1, arbitrary: ofAnother },
  { weight: 1, arbitrary: unasked },
);
