import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PluginError } from '../../proto/error.ts';
import type { HeaderList, RequestMessage } from '../../proto/signature/message.ts';
import { nodeCrypto, nodeSigningKey, nodeVerifyingKey } from '../../proto/signature/node.ts';
import { NonceMemory } from '../../proto/signature/nonces.ts';
import { keyRing } from '../../proto/signature/port.ts';
import { signRequest } from '../../proto/signature/sign-request.ts';
import { dictionaryMember } from '../../proto/signature/structured-field.ts';
import { verifyRequest } from '../../proto/signature/verify-request.ts';
import { newKey, publicOf } from '../support/keys.ts';
import { damaged, limitMs, parameters } from './runs.ts';

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

async function verdict(message: RequestMessage): Promise<string> {
  try {
    const nonces = new NonceMemory({ maxEntries: 10 });
    await verifyRequest(message, { keys, crypto: nodeCrypto, nowS, nonces, functionName: 'office@live' });
    return 'accepted';
  } catch (error) {
    if (error instanceof PluginError) return error.code;
    throw error;
  }
}

test('the request itself is accepted', async () => {
  expect(await verdict(signed)).toBe('accepted');
});

test(
  'signature headers of any form are refused, and never anything but refused',
  async () => {
    const form = fc.stringMatching(
      /^sig[0-9]?=\("@?[a-z-]{1,12}"(?:;req|;key="sig")?\)(?:;[a-z]{1,8}=(?:"[ -~]{0,20}"|\d{1,20}|:[A-Za-z0-9+/=]{0,90}:)){0,6}$/,
    );
    const value = fc.oneof(
      form,
      fc.string({ maxLength: 300 }),
      fc.string({ unit: 'binary', maxLength: 100 }),
    );
    const property = fc.asyncProperty(value, value, value, async (input, signature, digest) => {
      const forged = headers.map(([name, old]): [string, string] =>
        name === 'signature-input'
          ? [name, input]
          : name === 'signature'
            ? [name, signature]
            : name === 'content-digest'
              ? [name, digest]
              : [name, old],
      );
      expect(await verdict({ ...signed, headers: forged })).toBe('CALL_REFUSED');
    });
    await fc.assert(property, parameters);
  },
  limitMs,
);

test(
  'a header that was damaged is refused, or reads the same',
  async () => {
    const which = fc.constantFrom(...headers.map(([name]) => name));
    const property = fc.asyncProperty(
      which.chain((name) => {
        const good = headers.find(([each]) => each === name)?.[1] ?? '';
        return damaged(Buffer.from(good, 'latin1')).map(
          (bytes) => [name, Buffer.from(bytes).toString('latin1')] as const,
        );
      }),
      async ([name, value]) => {
        const said = await verdict({
          ...signed,
          headers: headers.map((each) => (each[0] === name ? [name, value] : each)),
        });
        const same = value.trim() === headers.find(([each]) => each === name)?.[1];
        expect(said).toBe(same ? 'accepted' : 'CALL_REFUSED');
      },
    );
    await fc.assert(property, parameters);
  },
  limitMs,
);

test(
  'a dictionary of any text parses to an answer or to nothing',
  () => {
    const piece = fc.constantFrom(
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
    );
    const property = fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const member = dictionaryMember(pieces.join(''), 'sig');
      expect(member === undefined || typeof member === 'string').toBe(true);
    });
    fc.assert(property, parameters);
  },
  limitMs,
);
