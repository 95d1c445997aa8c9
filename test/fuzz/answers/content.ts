import fc from 'fast-check';
import { connectCodes } from '../../../proto/codes.ts';
import { type RpcInput, rpcs } from '../rpcs/rpcs.ts';

/** What a function that does not keep to the contract signs. */
export interface Content {
  readonly rpc: RpcInput;
  readonly status: number;
  readonly facts: Readonly<Record<string, string>>;
  readonly body: string;
}

const base64 = (value: string | object) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64');
const users = [
  '',
  '{}',
  '{"username":"alice","status":1}',
  '{"username":"admin"}',
  '{"description":"x"}',
  '{"home_dir":"/"}',
  '[]',
  'null',
];
const user = { user: fc.constantFrom(...users.map(base64)) };
const event = { id: 'e1', timestamp: 1, username: 'alice', action: 'upload', role: '' };
const found = [[], [event], [event, event], [{ ...event, timestamp: 1.5 }], [{ a: [] }], [1], {}, null, ''];
const word = fc.constantFrom('', 'x', 'c2VhbGVk', 'c2VhbGVk=', 'c2 Vh', '\u0000', '\u001b[2J', 'é');

/** The fields of each output, with values that are right and wrong. */
const outputs: Readonly<Record<string, Readonly<Record<string, fc.Arbitrary<unknown>>>>> = {
  CheckUserAndPass: user,
  CheckUserAndTLSCert: user,
  CheckUserAndPublicKey: user,
  CheckUserAndKeyboardInteractive: user,
  SendKeyboardAuthRequest: {
    instructions: word,
    questions: fc.array(word, { maxLength: 3 }),
    echos: fc.array(fc.boolean(), { maxLength: 3 }),
    authResult: fc.constantFrom(0, 1, 2, -1),
    checkPassword: fc.constantFrom(0, 1, 2, 3),
  },
  Encrypt: { payload: word, key: fc.constantFrom('', 'ab'), mode: fc.constantFrom(0, 1) },
  Decrypt: { payload: word },
  GetModificationTime: {
    modificationTime: fc.constantFrom('1697040000123', 1, '-1', '9223372036854775808', 1.5),
  },
  GetModificationTimes: {
    pairs: fc.dictionary(fc.constantFrom('a', 'b', '__proto__', ''), fc.constantFrom('1', 1, 'x', null), {
      maxKeys: 3,
    }),
  },
  GetFolders: { folders: fc.array(fc.constantFrom('/a', '/b', '/c', '', '/é'), { maxLength: 3 }) },
  ...Object.fromEntries(
    ['SearchFsEvents', 'SearchProviderEvents', 'SearchLogEvents'].map((name) => [
      name,
      {
        data: fc.constantFrom(
          ...found.map((value) => base64(value ?? 'null')),
          base64('[{"id":1e3}]'),
          base64('\ufeff[]'),
        ),
      },
    ]),
  ),
};

const odd = fc.constantFrom<unknown>(
  null,
  true,
  0,
  1,
  -1,
  1.5,
  '',
  'x',
  '9223372036854775807',
  [],
  [null],
  ['x'],
  {},
  { a: 1 },
);

function output({ method }: RpcInput): fc.Arbitrary<unknown> {
  const fields = outputs[method.name] ?? {};
  const right = fc.record(fields, { requiredKeys: [] });
  const names = fc.constantFrom(...Object.keys(fields), 'unknown', '__proto__');
  const wrong = fc
    .record({ right, name: names, value: odd })
    .map(({ right, name, value }) => ({ ...right, [name]: value }));
  return fc.oneof(
    { weight: 6, arbitrary: right },
    { weight: 3, arbitrary: wrong },
    { weight: 1, arbitrary: odd },
  );
}

const code = fc.constantFrom<unknown>(
  ...Object.keys(connectCodes),
  ...Array(4).fill('permission_denied'),
  ...Array(4).fill('not_found'),
  ...['PERMISSION_DENIED', '', 7, null],
);
const error = fc.record({ code, message: odd }, { requiredKeys: [] });
const factTexts = [
  ...['merge', 'replace', 'unchanged', 'Merge', 'max-age=60', 'no-store', '203.0.113.0/24', '::/0'],
  ...['2001:db8::/64', '1.5'],
];
const anyFacts = fc.dictionary(
  fc.constantFrom(
    'plugin-grant',
    'plugin-cache',
    'plugin-scope',
    'plugin-reason',
    'plugin-dialogue',
    'plugin-elapsed',
  ),
  fc.oneof(fc.constantFrom(...factTexts), fc.stringMatching(/^[ -~]{0,20}$/)),
  { maxKeys: 3 },
);
const grants = fc.constantFrom('merge', 'replace', 'unchanged').map((grant) => ({ 'plugin-grant': grant }));

/** An answer of auth has a grant, mostly. */
const factsOf = ({ type }: RpcInput): fc.Arbitrary<Content['facts']> =>
  fc.oneof({ weight: type === 'auth' ? 2 : 0, arbitrary: grants }, { weight: 1, arbitrary: anyFacts });

const utf8Body = (value: unknown) => JSON.stringify(value) ?? '';
const rest = fc.constantFrom('', ' ', 'x', '}', '\u0000', '\ufeff');

const statuses = fc.constantFrom(201, 204, 302, 400, 401, 403, 404, 429, 500, 503);

function contentOf(rpc: RpcInput): fc.Arbitrary<Content> {
  const message = output(rpc).map(utf8Body);
  const failure = error.map(utf8Body);
  const framed = fc.tuple(rest, message, rest).map((parts) => parts.join(''));
  const anyStatus = fc.oneof({ weight: 1, arbitrary: fc.constant(200) }, { weight: 1, arbitrary: statuses });
  const answer = fc.oneof(
    { weight: 10, arbitrary: fc.record({ status: fc.constant(200), body: message }) },
    { weight: 5, arbitrary: fc.record({ status: statuses, body: failure }) },
    { weight: 2, arbitrary: fc.record({ status: anyStatus, body: fc.oneof(message, failure, framed) }) },
  );
  return fc.tuple(answer, factsOf(rpc)).map(([{ status, body }, facts]) => ({ rpc, status, facts, body }));
}

/** Answers to every RPC: a message, an error or rubbish, each with any status and facts. */
export const content = fc.oneof(...rpcs.map(contentOf));
