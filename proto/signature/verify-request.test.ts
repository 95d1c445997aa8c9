import { describe, expect, test } from 'vitest';
import { type Component, component } from './base.ts';
import type { RequestMessage } from './message.ts';
import { NonceMemory } from './nonces.ts';
import { requestComponents } from './profile.ts';
import { signRequest } from './sign-request.ts';
import { add, drop, edit, forge, libraries, nowS, plainRequest, type Stage, stage } from './test-messages.ts';
import { type VerifyRequestOptions, verifyRequest } from './verify-request.ts';

type Spoil = (stage: Stage) => RequestMessage | Promise<RequestMessage>;

const names = ['plugin-function', 'plugin-call-id'];
const nonce = '0123456789abcdef';

/** Signature parameters that the profile accepts, but for the changes; `undefined` drops one. */
function parameters(keyid: string, changes: Record<string, string | number | undefined> = {}): string {
  const all = { created: nowS, expires: nowS + 30, nonce, keyid, tag: 'sftpgo-plugin-call', ...changes };
  return Object.entries(all)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `;${name}=${typeof value === 'number' ? value : `"${value}"`}`)
    .join('');
}

const resigned =
  (changes: Record<string, string | number | undefined>): Spoil =>
  ({ request, adapter }) =>
    forge(request, adapter, requestComponents(names), parameters(adapter.keyid, changes));

const relisted =
  (change: (list: Component[]) => readonly Component[]): Spoil =>
  ({ request, adapter }) =>
    forge(request, adapter, change([...requestComponents(names)]), parameters(adapter.keyid));

const rewritten =
  (name: string, change: (value: string) => string): Spoil =>
  ({ request }) =>
    edit(request, name, change);

const fromUs =
  (headers: Record<string, string | undefined>): Spoil =>
  async ({ adapter, crypto }) => {
    const plain = plainRequest(headers);
    return { ...plain, headers: await signRequest(plain, { key: adapter, crypto, nowS }) };
  };

const uncovered = 'does not cover exactly what the profile demands';
const unfit = 'has a signature that does not fit';
const parts = 'malformed signature parameters';
const count = 'lacks a signature parameter or has one too many';

/** What is done to a good request, and the reason for which it must be refused. */
const refusals: readonly (readonly [what: string, spoil: Spoil, reason: string])[] = [
  ['no signature', ({ request }) => drop(request, 'signature', 'signature-input'), 'is not signed'],
  ['no signature-input', ({ request }) => drop(request, 'signature-input'), 'is not signed'],
  ['no signature header', ({ request }) => drop(request, 'signature'), 'malformed signature'],
  ['no headers at all', ({ request }) => ({ ...request, headers: [] }), 'is not signed'],

  ['another method', ({ request }) => ({ ...request, method: 'PUT' }), 'is not a POST'],
  ['another host', ({ request }) => ({ ...request, url: request.url.replace('office', 'shop') }), unfit],
  ['another RPC', ({ request }) => ({ ...request, url: `${request.url}2` }), unfit],
  ['a query added', ({ request }) => ({ ...request, url: `${request.url}?a` }), unfit],
  ['http for https', ({ request }) => ({ ...request, url: request.url.replace('s:', ':') }), unfit],
  ['another content-type', rewritten('content-type', (value) => `${value}; charset=x`), unfit],
  ['another version of Connect', rewritten('connect-protocol-version', () => '2'), unfit],
  ['another deadline', rewritten('connect-timeout-ms', (value) => `${value}0`), unfit],
  ['another call id', rewritten('plugin-call-id', (value) => value.replace('0', '1')), unfit],
  ['another function', rewritten('plugin-function', () => 'shop@live'), 'is for another function'],
  ['another stage', rewritten('plugin-function', () => 'office@next'), 'is for another function'],
  ['one byte of the body', ({ request: r }) => ({ ...r, body: r.body.with(8, 0x32) }), 'digest does not fit'],
  [
    'a longer body',
    ({ request: r }) => ({ ...r, body: Uint8Array.of(...r.body, 10) }),
    'digest does not fit',
  ],
  [
    'a BOM before the body',
    ({ request: r }) => ({ ...r, body: Uint8Array.of(0xef, 0xbb, 0xbf, ...r.body) }),
    'digest does not fit',
  ],
  ['an empty body', ({ request }) => ({ ...request, body: new Uint8Array() }), 'digest does not fit'],
  [
    'body and digest of another call',
    async ({ request, crypto }) => {
      const body = new TextEncoder().encode('{}');
      const digest = Buffer.from(await crypto.sha256(body)).toString('base64');
      return { ...edit(request, 'content-digest', () => `sha-256=:${digest}:`), body };
    },
    unfit,
  ],

  ...['content-type', 'connect-protocol-version', 'connect-timeout-ms'].map(
    (name) => [`${name} dropped`, ({ request }: Stage) => drop(request, name), 'lacks a header'] as const,
  ),
  ['content-digest dropped', ({ request }) => drop(request, 'content-digest'), 'lacks a header'],
  ['plugin-function dropped', ({ request }) => drop(request, 'plugin-function'), 'is for another function'],
  ['plugin-call-id dropped', ({ request }) => drop(request, 'plugin-call-id'), 'has no call id'],
  ['plugin-call-id empty', rewritten('plugin-call-id', () => ''), 'has no call id'],
  ['plugin-call-id never there', fromUs({ 'plugin-call-id': undefined }), 'has no call id'],
  [
    'a plugin-* header that is not covered',
    ({ request }) => add(request, ['plugin-instance', 'node1']),
    uncovered,
  ],
  [
    'a plugin-* header in capitals that is not covered',
    ({ request }) => add(request, ['Plugin-Instance', 'node1']),
    uncovered,
  ],
  [
    'a plugin-* name to break out of its line',
    ({ request }) => add(request, ['plugin-"x', '1']),
    'malformed plugin-* name',
  ],

  ...[
    'content-type',
    'content-digest',
    'connect-protocol-version',
    'connect-timeout-ms',
    'plugin-function',
    'plugin-call-id',
    'signature-input',
    'signature',
  ].flatMap((name) => [
    [
      `${name} doubled`,
      ({ request }: Stage) => add(request, ...request.headers.filter(([n]) => n === name)),
      'repeats a signed header',
    ] as const,
    [
      `${name} doubled in capitals`,
      ({ request }: Stage) => add(request, [name.toUpperCase(), 'x']),
      'repeats a signed header',
    ] as const,
    [`${name} with a line break`, rewritten(name, (value) => `${value}\r\n x`), 'printable ASCII'] as const,
    [
      `${name} with a letter outside ASCII`,
      rewritten(name, (value) => `${value}é`),
      'printable ASCII',
    ] as const,
  ]),
  ['a content-encoding', ({ request }) => add(request, ['content-encoding', 'gzip']), 'content-encoding'],
  [
    'a content-encoding of nothing',
    ({ request }) => add(request, ['Content-Encoding', 'identity']),
    'content-encoding',
  ],

  ['one component fewer', relisted((list) => list.slice(0, -1)), uncovered],
  ['no components', relisted(() => []), uncovered],
  [
    'the digest not covered',
    relisted((list) => list.filter(({ name }) => name !== 'content-digest')),
    uncovered,
  ],
  [
    'the address not covered',
    relisted((list) => list.filter(({ name }) => name !== '@target-uri')),
    uncovered,
  ],
  ['one component more', relisted((list) => [...list, component('accept-encoding')]), uncovered],
  ['one component twice', relisted((list) => [...list, component('@method')]), uncovered],
  ['components moved', relisted((list) => list.toReversed()), uncovered],
  [
    'plugin-* not sorted',
    relisted((list) => [...list.slice(0, -2), ...list.slice(-2).toReversed()]),
    uncovered,
  ],
  [
    '@path for @target-uri',
    relisted((list) => list.map((each) => (each.name === '@target-uri' ? component('@path') : each))),
    uncovered,
  ],
  [
    'white space in the list',
    rewritten('signature-input', (value) => value.replace('" "', '"  "')),
    uncovered,
  ],
  ['another label', rewritten('signature-input', (value) => value.replace('sig=', 'sig1=')), uncovered],
  [
    'another signature before',
    rewritten('signature-input', (value) => `sig1=();created=1, ${value}`),
    uncovered,
  ],
  ['another signature behind', rewritten('signature-input', (value) => `${value}, sig1=()`), parts],
  [
    'another signature by parameters',
    rewritten('signature-input', (value) => `${value}, sig1=();created=1`),
    parts,
  ],

  ['another signature between list and parameters', injected(', sig1=()'), parts],
  ['a character between list and parameters', injected(')'), parts],

  ['no parameters', relistedParameters(''), count],
  ['tag of an answer', resigned({ tag: 'sftpgo-plugin-answer' }), 'for another purpose'],
  ...['created', 'expires', 'nonce', 'keyid', 'tag'].map(
    (name) => [`no ${name}`, resigned({ [name]: undefined }), count] as const,
  ),
  ['an unknown parameter', resigned({ extra: 'x' }), count],
  ['an unknown parameter for a known one', resigned({ nonce: undefined, extra: 'x' }), count],
  ['another algorithm', resigned({ alg: 'hmac-sha256' }), 'another algorithm'],
  ['a parameter twice', relistedParameters(';tag="sftpgo-plugin-call"', true), parts],
  ['created as text', resigned({ created: `${nowS}` }), parts],
  ['keyid as a number', resigned({ keyid: 1 }), parts],
  ['created with a zero before', relistedParameters(`;created=0${nowS};expires=${nowS + 30}`), parts],
  ['created with a fraction', resigned({ created: nowS + 0.5 }), parts],
  ['an empty nonce', resigned({ nonce: '' }), parts],
  ['a nonce with a quote', resigned({ nonce: 'aaaaaaaaaaaaaaaa\\"' }), parts],
  ['a parameter without a value', relistedParameters(';created', true), parts],
  [
    'white space before a parameter',
    rewritten('signature-input', (value) => value.replace(';nonce', '; nonce')),
    parts,
  ],
  ['a life of 31 s', resigned({ expires: nowS + 31 }), 'lives too long'],
  ['no life', resigned({ expires: nowS }), 'lives too long'],
  ['a life that ends before it begins', resigned({ expires: nowS - 10 }), 'lives too long'],
  [
    'parameters changed after signing',
    rewritten('signature-input', (value) => value.replace(`expires=${nowS + 30}`, `expires=${nowS + 29}`)),
    unfit,
  ],

  [
    'a key that is not listed',
    ({ request, stranger }) => forge(request, stranger, requestComponents(names), parameters(stranger.keyid)),
    'a key that is not listed',
  ],
  [
    'a listed keyid, another key',
    ({ request, stranger, adapter }) =>
      forge(request, stranger, requestComponents(names), parameters(adapter.keyid)),
    unfit,
  ],
  [
    'signature of the function',
    ({ request, function: f }) => forge(request, f, requestComponents(names), parameters(f.keyid)),
    'a key that is not listed',
  ],
  [
    'signature of another call',
    ({ request, otherRequest }) => edit(request, 'signature', () => otherRequest.headers.at(-1)?.[1] ?? ''),
    unfit,
  ],

  [
    'one bit of the signature',
    rewritten('signature', (value) => value.replace(/:(.)/, (_, c) => `:${c === 'A' ? 'B' : 'A'}`)),
    unfit,
  ],
  ['a short signature', rewritten('signature', (value) => `${value.slice(0, 41)}:`), 'malformed signature'],
  ['an empty signature', rewritten('signature', () => 'sig=::'), 'malformed signature'],
  [
    'a signature under another label',
    rewritten('signature', (value) => value.replace('sig=', 'sig1=')),
    'malformed signature',
  ],
  ['a second signature', rewritten('signature', (value) => `${value}, sig1=:AAAA:`), 'malformed signature'],
  ['a signature with a parameter', rewritten('signature', (value) => `${value};a`), 'malformed signature'],
  [
    'base64 with spare bits',
    rewritten('signature', (value) => value.replace(/.==/, (end) => `${sparse(end)}==`)),
    'malformed signature',
  ],
  [
    'base64 without padding',
    rewritten('signature', (value) => value.replace('==', '')),
    'malformed signature',
  ],
  ['base64url', rewritten('signature', (value) => value.replace(/:.{4}/, ':-_-_')), 'malformed signature'],
  [
    'base64 with a space',
    rewritten('signature', (value) => value.replace('==', ' ==')),
    'malformed signature',
  ],
  [
    'digest with spare bits',
    rewritten('content-digest', (value) => value.replace(/.=:/, (end) => `${sparse(end)}=:`)),
    'digest does not fit',
  ],
  [
    'digest of another algorithm',
    rewritten('content-digest', (value) => value.replace('256', '512')),
    'digest does not fit',
  ],
  ['two digests', rewritten('content-digest', (value) => `${value}, sha-512=:AAAA:`), 'digest does not fit'],
  ['a digest with a parameter', rewritten('content-digest', (value) => `${value};a`), 'digest does not fit'],
];

/** The next character of the alphabet: other spare bits, the same bytes for a lenient decoder. */
function sparse(text: string): string {
  return String.fromCharCode(text.charCodeAt(0) + 1);
}

/** Signed, with a text between the component list and good parameters. */
function injected(text: string): Spoil {
  return ({ request, adapter }) =>
    forge(request, adapter, requestComponents(names), text + parameters(adapter.keyid));
}

/** Signed with these parameters, or with these added to good ones. */
function relistedParameters(text: string, added = false): Spoil {
  return ({ request, adapter }) =>
    forge(request, adapter, requestComponents(names), added ? parameters(adapter.keyid) + text : text);
}

describe.each(['node', 'web'] as const)('verifyRequest with %s crypto', async (library) => {
  const set = await stage(libraries[library]);
  const verify = (message: RequestMessage, changes: Partial<VerifyRequestOptions> = {}) =>
    verifyRequest(message, { ...set.options, ...changes });

  test('accepts what signRequest signed and says who called and when', async () => {
    const verified = await verify(set.request);
    expect(verified).toMatchObject({ keyid: set.adapter.keyid, createdS: nowS, expiresS: nowS + 30 });
    expect(`sig=:${verified.signature}:`).toBe(set.request.headers.at(-1)?.[1]);
  });

  test.each<[string, Spoil]>([
    [
      'parameters in another order',
      ({ request, adapter: key }) => {
        const moved = parameters(key.keyid)
          .split(';')
          .slice(1)
          .toReversed()
          .map((part) => `;${part}`);
        return forge(request, key, requestComponents(names), moved.join(''));
      },
    ],
    ['alg="ed25519"', resigned({ alg: 'ed25519' })],
    ['headers in another order', ({ request }) => ({ ...request, headers: request.headers.toReversed() })],
    [
      'header names in capitals',
      ({ request }) => ({ ...request, headers: request.headers.map(([n, v]) => [n.toUpperCase(), v]) }),
    ],
    [
      'white space around values',
      ({ request }) => ({ ...request, headers: request.headers.map(([n, v]) => [n, ` ${v}\t`]) }),
    ],
    [
      'headers that nobody reads, twice',
      ({ request }) => add(request, ['via', 'a'], ['via', 'b'], ['x-é', 'é']),
    ],
    ['one more plugin-* header, covered', fromUs({ 'plugin-instance': 'node1' })],
    ['an empty plugin-* header, which is not sent', fromUs({ 'plugin-instance': '' })],
  ])('accepts %s', async (_, spoil) => {
    await expect(verify(await spoil(set))).resolves.toMatchObject({ keyid: set.adapter.keyid });
  });

  test.each(refusals)('refuses %s', async (_, spoil, reason) => {
    const refused = verify(await spoil(set));
    await expect(refused).rejects.toThrow(reason);
    await expect(refused).rejects.toMatchObject({ code: 'CALL_REFUSED' });
  });

  test('refuses a call for a function of another name', async () => {
    await expect(verify(set.request, { functionName: 'office@next' })).rejects.toThrow('another function');
  });

  test.each([
    ['31 s early', nowS - 31],
    ['31 s after its end', nowS + 61],
  ])('says CLOCK_SKEW for a good signature %s', async (_, at) => {
    await expect(verify(set.request, { nowS: at })).rejects.toMatchObject({ code: 'CLOCK_SKEW' });
  });

  test.each([
    ['30 s early', nowS - 30],
    ['30 s after its end', nowS + 60],
  ])('accepts one %s: that is the skew', async (_, at) => {
    await expect(verify(set.request, { nowS: at })).resolves.toMatchObject({ createdS: nowS });
  });

  test('does not say CLOCK_SKEW for a bad signature', async () => {
    const bad = edit(set.request, 'connect-timeout-ms', () => '900');
    await expect(verify(bad, { nowS: nowS + 3600 })).rejects.toMatchObject({ code: 'CALL_REFUSED' });
  });

  test('refuses the same call a second time', async () => {
    const nonces = new NonceMemory({ maxEntries: 10 });
    await verify(set.request, { nonces });
    await expect(verify(set.request, { nonces })).rejects.toThrow('the request was seen before');
    await expect(verify(set.otherRequest, { nonces })).resolves.toMatchObject({ keyid: set.adapter.keyid });
  });

  test('two adapters may choose the same nonce', async () => {
    const nonces = new NonceMemory({ maxEntries: 10 });
    const keys = (keyid: string) => set.adapters(keyid) ?? set.functions(keyid);
    for (const key of [set.adapter, set.function]) {
      const request = await forge(set.request, key, requestComponents(names), parameters(key.keyid));
      await expect(verify(request, { nonces, keys })).resolves.toMatchObject({ nonce, keyid: key.keyid });
    }
  });

  test('remembers no nonce of a request that it refuses', async () => {
    const nonces = new NonceMemory({ maxEntries: 10 });
    const bad = edit(set.request, 'connect-timeout-ms', () => '900');
    await expect(verify(bad, { nonces })).rejects.toThrow(unfit);
    await expect(verify(set.request, { nonces, nowS: nowS + 3600 })).rejects.toThrow('too late');
    await expect(verify(set.request, { nonces })).resolves.toMatchObject({ keyid: set.adapter.keyid });
  });
});
