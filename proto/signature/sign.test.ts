import { describe, expect, test } from 'vitest';
import { signAnswer } from './sign-answer.ts';
import { signRequest } from './sign-request.ts';
import { add, drop, libraries, nowS, plainAnswer, plainRequest, stage } from './test-messages.ts';

const header = (headers: Iterable<readonly [string, string]>, name: string) => new Map(headers).get(name);

describe.each(['node', 'web'] as const)('signing with %s crypto', async (library) => {
  const { adapter: key, function: functionKey, request, crypto } = await stage(libraries[library]);

  test('a request covers what the profile demands, in its order', async () => {
    const plain = plainRequest({ 'plugin-instance': 'node1' });
    const headers = await signRequest(plain, { key, crypto, nowS, ttlS: 10, nonce: 'n'.repeat(22) });
    expect(headers.slice(0, plain.headers.length)).toEqual(plain.headers);
    expect(headers.slice(plain.headers.length).map(([name]) => name)).toEqual([
      'content-digest',
      'signature-input',
      'signature',
    ]);
    expect(header(headers, 'signature-input')).toBe(
      'sig=("@method" "@target-uri" "content-type" "content-digest" "connect-protocol-version" ' +
        '"connect-timeout-ms" "plugin-call-id" "plugin-function" "plugin-instance")' +
        `;created=${nowS};expires=${nowS + 10};nonce="nnnnnnnnnnnnnnnnnnnnnn";keyid="${key.keyid}";tag="sftpgo-plugin-call"`,
    );
  });

  test('an answer covers what the profile demands, in its order', async () => {
    const options = { request, key: functionKey, crypto, nowS };
    const headers = await signAnswer(plainAnswer([['plugin-grant', '']]), options);
    expect(header(headers, 'plugin-grant')).toBeUndefined();
    expect(header(headers, 'signature-input')).toBe(
      'sig=("@status" "content-type" "content-digest" "plugin-cache" "plugin-reason" "plugin-version" ' +
        '"@method";req "@target-uri";req "content-digest";req "signature";req;key="sig")' +
        `;created=${nowS};keyid="${functionKey.keyid}";tag="sftpgo-plugin-answer"`,
    );
  });

  test('two attempts of one call have two nonces and two signatures', async () => {
    const sign = async () => signRequest(plainRequest(), { key, crypto, nowS });
    const [a, b] = [await sign(), await sign()];
    expect(header(a, 'signature-input')).not.toBe(header(b, 'signature-input'));
    expect(header(a, 'signature')).not.toBe(header(b, 'signature'));
  });

  test('fractions of a second are cut off', async () => {
    const headers = await signRequest(plainRequest(), { key, crypto, nowS: nowS + 0.9, ttlS: 1.5 });
    expect(header(headers, 'signature-input')).toContain(`;created=${nowS};expires=${nowS + 1};`);
  });

  test.each([
    ['headers that are signed already', request],
    ['a header twice', add(plainRequest(), ['plugin-call-id', 'x'])],
    ['a content-encoding', add(plainRequest(), ['content-encoding', 'gzip'])],
    ['a value outside ASCII', add(plainRequest(), ['plugin-instance', 'Büro'])],
    ['no content-type', drop(plainRequest(), 'content-type')],
    ['no deadline', drop(plainRequest(), 'connect-timeout-ms')],
  ])('a request with %s is not signed', async (_, message) => {
    await expect(async () => signRequest(message, { key, crypto, nowS })).rejects.toThrow(
      /a message to be signed|no usable value/,
    );
  });

  test.each([
    { ttlS: 31 },
    { ttlS: 0 },
    { ttlS: Number.NaN },
    { nonce: 'short' },
    { nonce: 'a"b'.repeat(9) },
  ])('a request is not signed with %o', async (options) => {
    await expect(async () =>
      signRequest(plainRequest(), { key, crypto, nowS, ...options }),
    ).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  test('an answer to an unsigned request is not signed', async () => {
    const options = { request: plainRequest(), key: functionKey, crypto, nowS };
    await expect(async () => signAnswer(plainAnswer(), options)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
  });
});
