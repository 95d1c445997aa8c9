import * as jose from 'jose';
import { expect, test } from 'vitest';
import { nodeCrypto, nodeSigningKey, nodeVerifyingKey } from '../signature/node.ts';
import { newJwk } from '../signature/test-messages.ts';
import { webCrypto, webSigningKey, webVerifyingKey } from '../signature/web.ts';
import { parseJwks, parsePrivateJwk, parsePublicJwk } from './parse.ts';
import { thumbprint } from './thumbprint.ts';

/** RFC 8037 appendix A.1 to A.3. */
const rfc8037 = {
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
} as const;
const { d: _, ...publicHalf } = rfc8037;

test('the thumbprint of RFC 8037 A.3, by either library and in every key', async () => {
  const expected = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k';
  for (const crypto of [nodeCrypto, webCrypto]) expect(await thumbprint(rfc8037, crypto)).toBe(expected);
  const keys = [nodeSigningKey(rfc8037), nodeVerifyingKey(rfc8037), await webSigningKey(rfc8037)];
  for (const key of [...keys, await webVerifyingKey(rfc8037)]) expect(key.keyid).toBe(expected);
});

test('thumbprints are those of jose', async () => {
  for (let i = 0; i < 20; i++) {
    const jwk = newJwk();
    expect(await thumbprint(jwk, nodeCrypto)).toBe(await jose.calculateJwkThumbprint({ ...jwk }));
  }
});

test('a kid in the file changes nothing', () => {
  const parsed = parsePrivateJwk({ ...rfc8037, kid: 'mine', use: 'sig', key_ops: ['verify'] });
  expect(parsed).toEqual(rfc8037);
  expect(nodeSigningKey(parsed).keyid).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
});

test('a signature of one library is good for the other, and for its key only', async () => {
  const data = new TextEncoder().encode('data');
  const signatures = [nodeSigningKey(rfc8037).sign(data), await (await webSigningKey(rfc8037)).sign(data)];
  expect(Buffer.from((await signatures[0]) ?? [])).toEqual(Buffer.from((await signatures[1]) ?? []));
  for (const signature of signatures) {
    expect(nodeVerifyingKey(publicHalf).verify(data, await signature)).toBe(true);
    expect(await (await webVerifyingKey(publicHalf)).verify(data, await signature)).toBe(true);
    expect(nodeVerifyingKey(newJwk()).verify(data, await signature)).toBe(false);
    expect(await (await webVerifyingKey(newJwk())).verify(data, await signature)).toBe(false);
  }
});

test('halves of two keys make no key', async () => {
  const mixed = { ...rfc8037, x: newJwk().x };
  const refusal = expect.objectContaining({ code: 'KEY_FILE_INVALID' });
  expect(() => nodeSigningKey(mixed)).toThrow(refusal);
  await expect(webSigningKey(mixed)).rejects.toThrow(refusal);
});

test.each([
  ['null', null],
  ['a text', 'key'],
  ['a list', [publicHalf]],
  ['another kind', { kty: 'EC', crv: 'P-256', x: publicHalf.x, y: publicHalf.x }],
  ['a key for encryption', { ...publicHalf, crv: 'X25519' }],
  ['no x', { ...publicHalf, x: undefined }],
  ['a short x', { ...publicHalf, x: publicHalf.x.slice(1) }],
  ['a long x', { ...publicHalf, x: `${publicHalf.x}A` }],
  ['x with padding', { ...publicHalf, x: `${publicHalf.x}=` }],
  ['x with spare bits', { ...publicHalf, x: publicHalf.x.replace(/o$/, 'p') }],
  ['x in standard base64', { ...publicHalf, x: publicHalf.x.replace('_', '/') }],
  ['a line break behind x', { ...publicHalf, x: `${publicHalf.x}\n` }],
  ['a private key', rfc8037],
])('%s is not taken for a public key', (_, value) => {
  const refusal = expect.objectContaining({ code: 'KEY_FILE_INVALID' });
  expect(() => parsePublicJwk(value)).toThrow(refusal);
  expect(() => parseJwks({ keys: [publicHalf, value] }, 'callers.jwks.json')).toThrow(
    'callers.jwks.json, keys[1],',
  );
});

test.each([
  ['a public key', publicHalf],
  ['a d that is no text', { ...rfc8037, d: 5 }],
  ['a short d', { ...rfc8037, d: rfc8037.d.slice(2) }],
])('%s is not taken for a private key', (_, value) => {
  expect(() => parsePrivateJwk(value, 'adapter.key.json')).toThrow('adapter.key.json has no usable d');
});

test('an error about a private key has nothing of it', () => {
  expect(() => parsePrivateJwk({ ...rfc8037, d: `${rfc8037.d}A` })).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining(rfc8037.d.slice(0, 8)) }),
  );
});

test.each([[null], [[]], [{}], [{ keys: [] }], [{ keys: publicHalf }]])('%o is no key set', (value) => {
  expect(() => parseJwks(value)).toThrow('the key set has no keys');
});

test('a key set gives its keys, in order and without what is not needed', () => {
  const second = newJwk();
  const { d: __, ...other } = second;
  expect(parseJwks({ keys: [{ ...publicHalf, kid: 'x', alg: 'EdDSA' }, other] })).toEqual([
    publicHalf,
    other,
  ]);
});
