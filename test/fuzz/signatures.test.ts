import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PluginError } from '../../proto/error.ts';
import type { HeaderList, RequestMessage } from '../../proto/signature/message.ts';
import { nodeCrypto, nodeSigningKey, nodeVerifyingKey } from '../../proto/signature/node.ts';
import { NonceMemory } from '../../proto/signature/nonces.ts';
import { keyRing } from '../../proto/signature/port.ts';
import { requestComponents } from '../../proto/signature/profile.ts';
import { signMessage } from '../../proto/signature/sign.ts';
import { signRequest } from '../../proto/signature/sign-request.ts';
import { dictionaryMember } from '../../proto/signature/structured-field.ts';
import { verifyRequest } from '../../proto/signature/verify-request.ts';
import { newKey, publicOf } from '../support/keys.ts';
import { damaged, edits } from './damage.ts';
import { fuzz, limitMs, same } from './runs.ts';
import { changedInput, inputChange } from './signatures/inputs.ts';

const adapterKey = newKey();
const keys = keyRing([nodeVerifyingKey(publicOf(adapterKey))]);
const nowS = 1_800_000_000;
const body = new TextEncoder().encode('{"ip":"203.0.113.7"}');
const plain: HeaderList = [
  ['content-type', 'application/json'],
  ['connect-protocol-version', '1'],
  ['connect-timeout-ms', '5000'],
  ['plugin-call-id', '0123456789abcdef0123456789abcdef'],
  ['plugin-function', 'office@live'],
];
const url = 'https://office.example.com/proto.IPFilter/CheckIP';
const unsigned: RequestMessage = { method: 'POST', url, headers: plain, body };
const headers = await signRequest(unsigned, { key: nodeSigningKey(adapterKey), crypto: nodeCrypto, nowS });
const signed: RequestMessage = { ...unsigned, headers };
const goodValue = (name: string) => headers.find(([each]) => each === name)?.[1] ?? '';

/** `accepted`, or the check that refused. */
async function verdict(
  message: RequestMessage,
  nonces = new NonceMemory({ maxEntries: 10 }),
): Promise<string> {
  try {
    await verifyRequest(message, { keys, crypto: nodeCrypto, nowS, nonces, functionName: 'office@live' });
    return 'accepted';
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    expect(['CALL_REFUSED', 'CLOCK_SKEW']).toContain(error.code);
    return error.happened;
  }
}

const withHeader = (name: string, value: string): RequestMessage => ({
  ...signed,
  headers: headers.map((each) => (each[0] === name ? [name, value] : each)),
});

test('the request itself is accepted, once', async () => {
  const nonces = new NonceMemory({ maxEntries: 10 });
  expect(await verdict(signed, nonces)).toBe('accepted');
  expect(await verdict(signed, nonces)).toBe('the request was seen before');
});

test(
  'signature headers of any form are refused, and never anything but refused',
  (() => {
    const form = fc.stringMatching(
      /^sig[0-9]?=\("@?[a-z-]{1,12}"(?:;req|;key="sig")?\)(?:;[a-z]{1,8}=(?:"[ -~]{0,20}"|\d{1,20}|:[A-Za-z0-9+/=]{0,90}:)){0,6}$/,
    );
    const value = fc.oneof(
      form,
      fc.string({ maxLength: 300 }),
      fc.string({ unit: 'binary', maxLength: 100 }),
    );
    const good = (name: string) =>
      fc.oneof({ weight: 1, arbitrary: value }, { weight: 2, arbitrary: fc.constant(goodValue(name)) });
    const input = fc.oneof(
      { weight: 1, arbitrary: value },
      {
        weight: 3,
        arbitrary: inputChange.map((change) => changedInput(goodValue('signature-input'), change)),
      },
    );
    return fuzz(
      fc.record({ input, signature: good('signature'), digest: good('content-digest') }),
      async ({ input, signature, digest }, count) => {
        const forged: Readonly<Record<string, string>> = {
          'signature-input': input,
          signature,
          'content-digest': digest,
        };
        const said = await verdict({
          ...signed,
          headers: headers.map(([name, old]) => [name, forged[name] ?? old]),
        });
        const isGood = headers.every(([name, old]) => (forged[name] ?? old).trim() === old);
        if (!isGood) expect(said).not.toBe('accepted');
        count(said);
      },
      Object.fromEntries(
        [
          'does not cover exactly what the profile demands',
          'has malformed signature parameters',
          'lacks a signature parameter or has one too many',
          'is signed for another purpose',
          'is signed with a key that is not listed',
          'is signed with another algorithm',
          'has a malformed signature',
          'has a body that its digest does not fit',
          'has a signature that does not fit',
          'has a signed header that is not printable ASCII',
        ].map((reason) => [`the request ${reason}`, 0.0005]),
      ),
    );
  })(),
  limitMs,
);

test(
  'a header that was damaged is refused, or reads the same',
  fuzz(
    fc.record({ name: fc.constantFrom(...headers.map(([name]) => name)), edits }),
    async ({ name, edits }, count) => {
      const value = Buffer.from(damaged(Buffer.from(goodValue(name), 'latin1'), edits)).toString('latin1');
      const said = await verdict(withHeader(name, value));
      expect(said === 'accepted').toBe(value.trim() === goodValue(name));
      count(said);
    },
    {
      accepted: 0.005,
      'the request has a signature that does not fit': 0.1,
      'the request has a body that its digest does not fit': 0.05,
      'the request does not cover exactly what the profile demands': 0.01,
    },
  ),
  limitMs,
);

/** Signature parameters and headers beside those of a good call; whoever signs them means them. */
const additions = {
  none: {},
  algorithm: { parameters: ';alg="ed25519"' },
  'another algorithm': { parameters: ';alg="hmac-sha256"', wrong: true },
  'an unknown parameter': { parameters: ';x="1"', wrong: true },
  'a parameter twice': { parameters: ';tag="sftpgo-plugin-call"', wrong: true },
  'a parameter as a token': { parameters: ';alg=ed25519', wrong: true },
  'another fact': { header: ['plugin-scope', '203.0.113.0/24'] },
  'an encoding': { header: ['content-encoding', 'identity'], wrong: true },
  'a date': { header: ['date', 'today'] },
} as const satisfies Readonly<
  Record<string, { parameters?: string; header?: readonly [string, string]; wrong?: true }>
>;
type Addition = {
  readonly parameters?: string;
  readonly header?: readonly [string, string];
  readonly wrong?: true;
};

const mostly = <T>(good: T, ...others: readonly T[]) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(good) }, { weight: 1, arbitrary: fc.constantFrom(...others) });
const offset = fc.oneof(fc.integer({ min: -35, max: 35 }), fc.constantFrom(-3600, -60, -61, 0, 3600));

/** Calls that somebody signed: what may differ from a good one, with the good value among the others. */
const signedCall = fc.record({
  by: mostly('adapter', 'stranger'),
  tag: mostly('sftpgo-plugin-call', 'sftpgo-plugin-answer', 'x'),
  createdS: offset.map((seconds) => nowS + seconds),
  lifeS: fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 30 }) },
    { weight: 1, arbitrary: fc.integer({ min: -2, max: 90 }) },
  ),
  spelled: mostly<(seconds: number) => string>(
    String,
    (seconds) => `"${seconds}"`,
    (seconds) => `0${seconds}`,
  ),
  functionName: mostly('office@live', 'other@live', 'office@test', 'office@live '),
  sentTo: mostly(url, url.replace('office', 'other'), `${url}?`, url.replace('https', 'http')),
  method: mostly('POST', 'PUT', 'post'),
  addition: fc.constantFrom(...(Object.keys(additions) as (keyof typeof additions)[])),
  again: fc.boolean(),
});

const strangersKey = nodeSigningKey(newKey());
const ownKey = nodeSigningKey(adapterKey);

test(
  'a signed call is taken from a caller that is listed, for this function and address, in its time, and once',
  fuzz(
    signedCall,
    async ({ by, tag, createdS, lifeS, spelled, functionName, sentTo, method, addition, again }, count) => {
      const key = by === 'adapter' ? ownKey : strangersKey;
      const { parameters = '', header, wrong }: Addition = additions[addition];
      const named = plain.map(([name, value]): readonly [string, string] => [
        name,
        name === 'plugin-function' ? functionName : value,
      ]);
      const isSent = header !== undefined && wrong === undefined;
      const made = await signMessage({
        headers: isSent ? [...named, header] : named,
        body,
        source: { method, url: sentTo },
        key,
        crypto: nodeCrypto,
        components: requestComponents,
        parameters: `;created=${spelled(createdS)};expires=${createdS + lifeS};nonce="0123456789abcdef";keyid="${key.keyid}";tag="${tag}"${parameters}`,
      });
      const nonces = new NonceMemory({ maxEntries: 10 });
      // what must not be there is put in on the way
      const headers = header !== undefined && wrong ? [...made, header] : made;
      const arrived = { method, url, headers, body };
      if (again) await verdict(arrived, nonces);
      const said = await verdict(arrived, nonces);
      const isFor =
        functionName.trim() === 'office@live' &&
        sentTo === url &&
        method === 'POST' &&
        tag === 'sftpgo-plugin-call';
      const inTime = lifeS > 0 && lifeS <= 30 && createdS <= nowS + 30 && createdS + lifeS >= nowS - 30;
      const isPlain = spelled === String && wrong === undefined;
      same(said === 'accepted', by === 'adapter' && isFor && inTime && isPlain && !again);
      count(said);
    },
    {
      accepted: 0.01,
      ...Object.fromEntries(
        [
          'is for another function',
          'lives too long',
          'was seen before',
          'is signed for another purpose',
          'is signed with a key that is not listed',
          'has a signature that does not fit',
          'has malformed signature parameters',
          'has a content-encoding',
        ].map((reason) => [`the request ${reason}`, 0.005]),
      ),
      'the request was signed too early or too late by the clock of this function': 0.005,
    },
  ),
  limitMs,
);

test(
  'a dictionary of any text parses to an answer or to nothing',
  fuzz(
    fc.array(
      fc.constantFrom(
        'a',
        'sig',
        '=',
        '"',
        '\\',
        '(',
        ')',
        ';',
        ',',
        ' ',
        ':',
        '?1',
        '9',
        '-',
        '.',
        'é',
        '\t',
        'sig=1',
        ', sig=:YQ==:',
      ),
      { maxLength: 30 },
    ),
    (pieces, count) => {
      const member = dictionaryMember(pieces.join(''), 'sig');
      // in its one canonical form, which reads as itself
      if (member !== undefined) expect(dictionaryMember(`sig=${member}`, 'sig')).toBe(member);
      count(member === undefined ? 'nothing' : 'a member');
    },
    { nothing: 0.3, 'a member': 0.005 },
  ),
  limitMs,
);
