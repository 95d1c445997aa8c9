import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Component, component } from './base.ts';
import type { AnswerMessage } from './message.ts';
import { answerComponents } from './profile.ts';
import { signAnswer } from './sign-answer.ts';
import { add, drop, edit, forge, libraries, nowS, plainAnswer, type Stage, stage } from './test-messages.ts';
import { verifyAnswer } from './verify-answer.ts';

type Spoil = (stage: Stage) => AnswerMessage | Promise<AnswerMessage>;

const names = ['plugin-cache', 'plugin-reason', 'plugin-version'];

function parameters(keyid: string, changes: Record<string, string | number | undefined> = {}): string {
  return Object.entries({ created: nowS, keyid, tag: 'sftpgo-plugin-answer', ...changes })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `;${name}=${typeof value === 'number' ? value : `"${value}"`}`)
    .join('');
}

const resigned =
  (changes: Record<string, string | number | undefined>): Spoil =>
  ({ answer, request, function: key }) =>
    forge(answer, key, answerComponents(names), parameters(key.keyid, changes), request);

const relisted =
  (change: (list: Component[]) => readonly Component[]): Spoil =>
  ({ answer, request, function: key }) =>
    forge(answer, key, change([...answerComponents(names)]), parameters(key.keyid), request);

const replaced = (identifier: string, by: Component): Spoil =>
  relisted((list) => list.map((each) => (each.identifier === identifier ? by : each)));

const without = (identifier: string): Spoil =>
  relisted((list) => list.filter((each) => each.identifier !== identifier));

const rewritten =
  (name: string, change: (value: string) => string): Spoil =>
  ({ answer }) =>
    edit(answer, name, change);

const signedBy =
  (who: (stage: Stage) => Stage['function']): Spoil =>
  async (set) => {
    const plain = plainAnswer();
    const options = { request: set.request, key: who(set), crypto: set.crypto, nowS };
    return { ...plain, headers: await signAnswer(plain, options) };
  };

const lines = (answer: AnswerMessage, name: string) => answer.headers.filter(([each]) => each === name);

const uncovered = 'does not cover exactly what the profile demands';
const unfit = 'has a signature that does not fit';
const parts = 'malformed signature parameters';
const count = 'lacks a signature parameter or has one too many';

/** What is done to a good answer, and the reason for which it must be refused. */
const refusals: readonly (readonly [what: string, spoil: Spoil, reason: string])[] = [
  ['another status', ({ answer }) => ({ ...answer, status: 403 }), unfit],
  ['another content-type', rewritten('content-type', () => 'text/html'), unfit],
  ['a longer life', rewritten('plugin-cache', () => 'max-age=600'), unfit],
  ['another version', rewritten('plugin-version', () => 'v2'), unfit],
  ['one byte of the body', ({ answer: a }) => ({ ...a, body: a.body.with(1, 0x7b) }), 'digest does not fit'],
  [
    'a BOM before the body',
    ({ answer: a }) => ({ ...a, body: Uint8Array.of(0xef, 0xbb, 0xbf, ...a.body) }),
    'digest does not fit',
  ],
  ['a cut body', ({ answer: a }) => ({ ...a, body: a.body.subarray(1) }), 'digest does not fit'],
  [
    'a body compressed on the way',
    ({ answer: a }) => add({ ...a, body: new Uint8Array(20) }, ['content-encoding', 'gzip']),
    'content-encoding',
  ],
  [
    'a content-encoding, body as it was',
    ({ answer }) => add(answer, ['Content-Encoding', 'gzip']),
    'content-encoding',
  ],
  [
    'body and digest of another answer',
    async ({ answer, crypto }) => {
      const body = new TextEncoder().encode('{"user":"admin"}');
      const digest = Buffer.from(await crypto.sha256(body)).toString('base64');
      return { ...edit(answer, 'content-digest', () => `sha-256=:${digest}:`), body };
    },
    unfit,
  ],

  ['content-type dropped', ({ answer }) => drop(answer, 'content-type'), 'lacks a header'],
  ['content-digest dropped', ({ answer }) => drop(answer, 'content-digest'), 'lacks a header'],
  ...names.map((name) => [`${name} dropped`, ({ answer }: Stage) => drop(answer, name), uncovered] as const),
  [
    'a plugin-* header that is not covered',
    ({ answer }) => add(answer, ['plugin-grant', 'replace']),
    uncovered,
  ],
  [
    'a plugin-* header in capitals that is not covered',
    ({ answer }) => add(answer, ['PLUGIN-Grant', 'replace']),
    uncovered,
  ],
  [
    'an empty plugin-* header that is not covered',
    ({ answer }) => add(answer, ['plugin-grant', '']),
    uncovered,
  ],
  [
    'a plugin-* name to break out of its line',
    ({ answer }) => add(answer, ['plugin-a"\n"b', '1']),
    'malformed plugin-* name',
  ],
  ...['content-type', 'content-digest', ...names, 'signature-input', 'signature'].flatMap((name) => [
    [
      `${name} doubled`,
      ({ answer }: Stage) => add(answer, ...lines(answer, name)),
      'repeats a signed header',
    ] as const,
    [
      `${name} with a control character`,
      rewritten(name, (value) => `${value}\0x`),
      'printable ASCII',
    ] as const,
    [`${name} with a tab inside`, rewritten(name, (value) => `${value}\tx`), 'printable ASCII'] as const,
    [
      `${name} with a letter outside ASCII`,
      rewritten(name, (value) => `${value}ä`),
      'printable ASCII',
    ] as const,
  ]),

  ...Object.entries({
    'content-type': unfit,
    'content-digest': 'digest does not fit',
    'plugin-cache': unfit,
    'signature-input': parts,
    signature: 'malformed signature',
  }).map(
    ([name, reason]) =>
      [`${name} doubled and joined`, rewritten(name, (value) => `${value}, ${value}`), reason] as const,
  ),

  ['the status not covered', without('"@status"'), uncovered],
  ['the body not covered', without('"content-digest"'), uncovered],
  ['plugin-version not covered', without('"plugin-version"'), uncovered],
  ['the method of the request not covered', without('"@method";req'), uncovered],
  ['the address not covered', without('"@target-uri";req'), uncovered],
  ['the body of the request not covered', without('"content-digest";req'), uncovered],
  ['the signature of the request not covered', without('"signature";req;key="sig"'), uncovered],
  [
    'the digest of the request in place of its own',
    replaced('"content-digest"', component('content-digest', { req: true })),
    uncovered,
  ],
  [
    "its own digest in place of the request's",
    replaced('"content-digest";req', component('content-digest')),
    uncovered,
  ],
  [
    'content-type of the request',
    replaced('"content-type"', component('content-type', { req: true })),
    uncovered,
  ],
  [
    'the whole signature header of the request',
    replaced('"signature";req;key="sig"', component('signature', { req: true })),
    uncovered,
  ],
  [
    'one component more',
    relisted((list) => [...list, component('plugin-call-id', { req: true })]),
    uncovered,
  ],
  ['one component twice', relisted((list) => [...list, component('content-type')]), uncovered],
  ['components moved', relisted((list) => list.toReversed()), uncovered],
  ['no components', relisted(() => []), uncovered],
  ['another label', rewritten('signature-input', (value) => value.replace('sig=', 'sig1=')), uncovered],
  ['another signature behind', rewritten('signature-input', (value) => `${value}, sig1=()`), parts],
  ['another signature before', rewritten('signature-input', (value) => `sig1=(), ${value}`), uncovered],

  ['tag of a call', resigned({ tag: 'sftpgo-plugin-call' }), 'for another purpose'],
  ...['created', 'keyid', 'tag'].map(
    (name) => [`no ${name}`, resigned({ [name]: undefined }), count] as const,
  ),
  ['a nonce', resigned({ nonce: '0123456789abcdef' }), count],
  ['another algorithm', resigned({ alg: 'rsa-pss-sha512' }), 'another algorithm'],
  [
    'created changed after signing',
    rewritten('signature-input', (value) => value.replace(`${nowS}`, `${nowS + 1}`)),
    unfit,
  ],
  ['created as text', resigned({ created: `${nowS}` }), parts],

  ['a key that is not listed', signedBy(({ stranger }) => stranger), 'a key that is not listed'],
  ['the key of another function', signedBy(({ adapter }) => adapter), 'a key that is not listed'],
  [
    'a listed keyid, another key',
    signedBy(({ stranger, function: f }) => ({ keyid: f.keyid, sign: stranger.sign })),
    unfit,
  ],
  [
    'an answer to another request of the same second',
    async ({ otherRequest, function: key, crypto }) => {
      const plain = plainAnswer();
      return { ...plain, headers: await signAnswer(plain, { request: otherRequest, key, crypto, nowS }) };
    },
    unfit,
  ],
  ['a signed request sent back', ({ request }) => ({ ...request, status: 200 }), uncovered],

  [
    'one bit of the signature',
    rewritten('signature', (value) => value.replace(/:(.)/, (_, c) => `:${c === 'A' ? 'B' : 'A'}`)),
    unfit,
  ],
  ['a short signature', rewritten('signature', (value) => `${value.slice(0, 41)}:`), 'malformed signature'],
  ['no signature in the header', rewritten('signature', () => ''), 'malformed signature'],
  [
    'a signature under another label',
    rewritten('signature', (value) => value.replace('sig=', 'sig1=')),
    'malformed signature',
  ],
  [
    'base64 with spare bits',
    rewritten('signature', (value) =>
      value.replace(/.==/, (end) => `${String.fromCharCode(end.charCodeAt(0) + 1)}==`),
    ),
    'malformed signature',
  ],
  [
    'base64 without padding',
    rewritten('signature', (value) => value.replace('==', '')),
    'malformed signature',
  ],
  ['base64url', rewritten('signature', (value) => value.replace(/:.{4}/, ':-_-_')), 'malformed signature'],
  [
    'digest with spare bits',
    rewritten('content-digest', (value) =>
      value.replace(/.=:/, (end) => `${String.fromCharCode(end.charCodeAt(0) + 1)}=:`),
    ),
    'digest does not fit',
  ],
  ['two digests', rewritten('content-digest', (value) => `sha-512=:AAAA:, ${value}`), 'digest does not fit'],
];

/** What stands between the adapter and the function answers in its place, or takes the signature off. */
const unsigned: readonly (readonly [what: string, spoil: Spoil])[] = [
  [
    'an error page',
    () => ({ status: 502, headers: [['content-type', 'text/html']], body: new Uint8Array(9) }),
  ],
  [
    'a compressed error page',
    () => ({
      status: 502,
      headers: [
        ['content-encoding', 'gzip'],
        ['plugin-x', 'é'],
      ],
      body: new Uint8Array(9),
    }),
  ],
  [
    'a redirect',
    () => ({ status: 302, headers: [['location', 'https://login.example/']], body: new Uint8Array() }),
  ],
  ['a 204', () => ({ status: 204, headers: [], body: new Uint8Array() })],
  ['an answer without its signature', ({ answer }) => drop(answer, 'signature')],
  ['an answer without its signature-input', ({ answer }) => drop(answer, 'signature-input')],
];

describe.each(['node', 'web'] as const)('verifyAnswer with %s crypto', async (library) => {
  const set = await stage(libraries[library]);
  const { request, functions: keys, crypto } = set;
  const verify = async (answer: AnswerMessage, to = request) =>
    verifyAnswer(answer, { request: to, keys, crypto });

  test('accepts what signAnswer signed and gives its key, clock and facts', async () => {
    const verified = await verify(set.answer);
    expect(verified).toMatchObject({ keyid: set.function.keyid, createdS: nowS });
    expect(Object.fromEntries(verified.plugin)).toEqual({
      'plugin-cache': 'max-age=60',
      'plugin-reason': 'banned, 3 strikes',
      'plugin-version': 'v1',
    });
  });

  test.each<[string, Spoil]>([
    [
      'parameters in another order',
      ({ answer, function: key }) => {
        const moved = parameters(key.keyid)
          .split(';')
          .slice(1)
          .toReversed()
          .map((part) => `;${part}`);
        return forge(answer, key, answerComponents(names), moved.join(''), request);
      },
    ],
    ['alg="ed25519"', resigned({ alg: 'ed25519' })],
    ['headers in another order', ({ answer }) => ({ ...answer, headers: answer.headers.toReversed() })],
    [
      'header names in capitals',
      ({ answer }) => ({ ...answer, headers: answer.headers.map(([n, v]) => [n.toUpperCase(), v]) }),
    ],
    [
      'headers of proxies',
      ({ answer }) =>
        add(answer, ['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['cache-control', 'max-age=9']),
    ],
    ['an old answer: its age proves nothing', resigned({ created: 1 })],
  ])('accepts %s', async (_, spoil) => {
    await expect(verify(await spoil(set))).resolves.toMatchObject({ keyid: set.function.keyid });
  });

  test('leaves out a plugin-* header that is signed but empty', async () => {
    const empty = add(set.answer, ['plugin-grant', '']);
    const list = answerComponents(['plugin-grant', ...names]);
    const verified = await verify(
      await forge(empty, set.function, list, parameters(set.function.keyid), request),
    );
    expect([...verified.plugin.keys()]).toEqual(names);
  });

  test.each(refusals)('refuses %s', async (_, spoil, reason) => {
    const refused = verify(await spoil(set));
    await expect(refused).rejects.toThrow(reason);
    await expect(refused).rejects.toMatchObject({ code: 'ANSWER_REFUSED' });
  });

  test.each(unsigned)('calls %s unsigned', async (_, spoil) => {
    await expect(verify(await spoil(set))).rejects.toMatchObject({ code: 'ANSWER_UNSIGNED' });
  });

  test('refuses a replay: an answer fits the request it answered and no other', async () => {
    await expect(verify(set.answer, set.otherRequest)).rejects.toThrow(unfit);
    await expect(verify(set.answer, { ...request, url: `${request.url}2` })).rejects.toThrow(unfit);
    await expect(verify(set.answer, { ...request, method: 'PUT' })).rejects.toThrow(unfit);
    await expect(
      verify(
        set.answer,
        edit(request, 'content-digest', () => 'sha-256=:x:'),
      ),
    ).rejects.toThrow(unfit);
    await expect(verify(set.answer)).resolves.toMatchObject({ keyid: set.function.keyid });
  });
});

test('with node crypto there is no promise in the way', async () => {
  const { answer, request, functions: keys, crypto } = await stage(libraries.node);
  expect(verifyAnswer(answer, { request, keys, crypto })).not.toBeInstanceOf(Promise);
});

test('no character of a signed header and no byte of the body can be another', async () => {
  const { answer, request, functions: keys, crypto } = await stage(libraries.node);
  const any = fc.nat(10_000);
  fc.assert(
    fc.property(
      fc.nat(answer.headers.length),
      any,
      fc.integer({ min: 0x21, max: 0x7e }),
      (which, at, code) => {
        const [name, value] = answer.headers[which] ?? ['', ''];
        const index = at % (value.length || answer.body.length);
        fc.pre(value.charCodeAt(index) !== code && (value !== '' || answer.body[index] !== code));
        const changed = edit(
          answer,
          name,
          () => value.slice(0, index) + String.fromCharCode(code) + value.slice(index + 1),
        );
        const body = value === '' ? answer.body.with(index, code) : answer.body;
        expect(() => verifyAnswer({ ...changed, body }, { request, keys, crypto })).toThrow('the answer ');
      },
    ),
    { numRuns: 5000 },
  );
});
