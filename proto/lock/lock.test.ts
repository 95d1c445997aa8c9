import { expect, test } from 'vitest';
import { lockedFunction } from '../../test/support/invoke.ts';
import { newKey, publicOf } from '../../test/support/keys.ts';
import { lockWith, newSigner } from '../../test/support/role-folder.ts';
import { normaliseAddress } from './address.ts';
import { sha256Hex } from './digest.ts';
import { openLock } from './open.ts';
import type { Lock } from './schema.ts';
import { type LockSigner, sealLock } from './seal.ts';

const functionKey = newKey();
const office = lockedFunction('https://functions.example.com', functionKey, 'a'.repeat(64));
const lock = lockWith({ 'office@live': office });
const [one, two, stranger] = await Promise.all([newSigner(), newSigner(), newSigner()]);

const open = (text: string, threshold = 1, signers: readonly LockSigner[] = [one, two]) =>
  openLock(text, {
    place: 'the.lock',
    threshold,
    trust: signers.map(({ keyid, jwk }) => ({ keyid, jwk: publicOf(jwk as typeof one.jwk) })),
  });

interface Sealed {
  payload: string;
  signatures: { protected: string; signature: string; header?: unknown }[];
}

/** A sealed lock, changed. */
async function altered(change: (sealed: Sealed) => void, signers = [one]): Promise<string> {
  const sealed: Sealed = JSON.parse(await sealLock(lock, signers));
  change(sealed);
  return JSON.stringify(sealed);
}

const encode = (json: unknown) => Buffer.from(JSON.stringify(json)).toString('base64url');

test('what was sealed is what is opened', async () => {
  const full = lockWith(
    { 'office@live': { ...office, keys: [{ ...publicOf(functionKey), kid: 'any' }] } },
    { seq: 41, expires: '2027-02-05T00:00:00Z' },
  );
  expect(await open(await sealLock(full, [one]))).toEqual(full);
});

test('as many trusted signers as the threshold demands, each counted once', async () => {
  const both = await sealLock(lock, [one, two]);
  await expect(open(both, 2)).resolves.toEqual(lock);
  await expect(open(await sealLock(lock, [one]), 2)).rejects.toMatchObject({
    code: 'LOCK_INVALID',
    happened: 'the.lock: sealed by 1 trusted key(s)',
    expected: 'at least 2 (trust.threshold)',
  });
  await expect(open(await sealLock(lock, [one, one]), 2)).rejects.toMatchObject({ code: 'LOCK_INVALID' });
});

const refusals: readonly (readonly [string, () => Promise<string>])[] = [
  ['a signature by a stranger', async () => await sealLock(lock, [stranger])],
  ['one good signature and one by a stranger', async () => await sealLock(lock, [one, stranger])],
  [
    'one good signature and one bad',
    async () =>
      await altered(
        ({ signatures: [, second] }) => {
          if (second) second.signature = 'A'.repeat(86);
        },
        [one, two],
      ),
  ],
  [
    'a changed payload',
    async () => await altered((sealed) => (sealed.payload = encode({ ...lock, seq: 2 }))),
  ],
  [
    "a stranger's signature under a trusted name",
    async () => await sealLock(lock, [{ ...stranger, keyid: one.keyid }]),
  ],
  ['no signature', async () => await altered((sealed) => (sealed.signatures = []))],
  [
    'a signature without algorithm',
    async () =>
      await altered(({ signatures: [first] }) => {
        if (first) {
          first.protected = encode({ alg: 'none', kid: one.keyid, typ: 'sftpgo-plugin-lock+jws' });
          first.signature = '';
        }
      }),
  ],
  [
    'an unprotected header',
    async () =>
      await altered(({ signatures: [first] }) => Object.assign(first ?? {}, { header: { kid: 'x' } })),
  ],
  ['a lock that is not sealed', async () => JSON.stringify(lock)],
  ['a JWT-like compact text', async () => 'eyJhbGciOiJFZERTQSJ9.e30.AA'],
  ['an empty file', async () => ''],
];

test.each(refusals)('%s is refused', async (_, text) => {
  await expect(open(await text())).rejects.toMatchObject({
    code: 'LOCK_INVALID',
    happened: expect.stringContaining('the.lock'),
  });
});

test('a good signature over something that is no lock is refused', async () => {
  const { GeneralSign, importJWK } = await import('jose');
  const sign = async (json: unknown, typ: string) =>
    JSON.stringify(
      await new GeneralSign(new TextEncoder().encode(JSON.stringify(json)))
        .addSignature(await importJWK({ ...one.jwk }, 'EdDSA'))
        .setProtectedHeader({ alg: 'EdDSA', kid: one.keyid, typ })
        .sign(),
    );
  const type = 'sftpgo-plugin-lock+jws';
  await expect(open(await sign(lock, type))).resolves.toEqual(lock);
  await expect(open(await sign(lock, 'JWT'))).rejects.toMatchObject({ code: 'LOCK_INVALID' });
  await expect(open(await sign({ ...lock, format: 2 }, type))).rejects.toMatchObject({
    code: 'LOCK_INVALID',
    happened: expect.stringContaining('format'),
  });
  await expect(open(await sign({ ...lock, more: 1 }, type))).rejects.toMatchObject({ code: 'LOCK_INVALID' });
});

const nonCanonical = `${functionKey.x.slice(0, -1)}${{ A: 'B', E: 'F', I: 'J', M: 'N', Q: 'R', U: 'V', Y: 'Z', c: 'd', g: 'h', k: 'l', o: 'p', s: 't', w: 'x', '0': '1', '4': '5', '8': '9' }[functionKey.x.slice(-1)]}`;

const wrong: readonly (readonly [string, Lock, RegExp])[] = [
  [
    'one key under two functions',
    lockWith({ 'office@live': office, 'office@beta': office }),
    /keys\.0: this key is listed under office@live too/,
  ],
  ['a name without stage', lockWith({ office }), /name@stage/],
  [
    'plain http to another machine',
    entry({ address: 'http://functions.example.com' }),
    /address: expected https/,
  ],
  ['an address with a query', entry({ address: 'https://functions.example.com/?a' }), /address: .*query/],
  [
    'an address with user info',
    entry({ address: 'https://a:b@functions.example.com' }),
    /address: .*user info/,
  ],
  ['no version', entry({ accepts: [] }), /accepts/],
  ['no key', entry({ keys: [] }), /keys: expected a key/],
  ['a key of a local function', entry({ target: 'local', address: 'office.mjs' }), /keys: expected no key/],
  ['no RPC', entry({ handles: [] }), /handles/],
  ['a private key', entry({ keys: [functionKey] }), /keys\.0/],
  [
    'a key in another spelling',
    entry({ keys: [{ ...publicOf(functionKey), x: nonCanonical }] }),
    /keys\.0\.x/,
  ],
  [
    'a digest that is none',
    entry({ accepts: [{ version: '1', files: { a: 'A'.repeat(64) }, config: {}, inputs: {} }] }),
    /files\.a: expected 64 lower-case hex digits/,
  ],
  ['seq 0', lockWith({}, { seq: 0 }), /seq/],
  ['an expiry that is no time', lockWith({}, { expires: 'tomorrow' }), /expires/],
];

function entry(change: Partial<typeof office>): Lock {
  return lockWith({ 'office@live': { ...office, ...change } });
}

test.each(wrong)('%s cannot be sealed', async (_, content, text) => {
  await expect(sealLock(content, [one])).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    happened: expect.stringMatching(text),
  });
});

test.each([
  ['https://functions.example.com', 'https://functions.example.com'],
  ['HTTPS://Functions.Example.COM:443/', 'https://functions.example.com'],
  ['https://functions.example.com/a/../b//', 'https://functions.example.com/b'],
  ['http://localhost:8080', 'http://localhost:8080'],
  ['http://127.1:80/', 'http://127.0.0.1'],
  ['http://[::1]:8443/x', 'http://[::1]:8443/x'],
])('%s is normalised to %s', (address, href) => {
  expect(normaliseAddress(address)).toEqual({ href });
});

test.each([
  'functions.example.com',
  '/office',
  'http://128.0.0.1',
  'http://localhost.example.com',
  'http://127.0.0.1.example.com',
  'http://[::2]',
  'http://[::ffff:8.8.8.8]',
  'ws://localhost',
  'file:///etc/passwd',
  'https://user@functions.example.com',
  'https://:secret@functions.example.com',
  'https://functions.example.com?',
  'https://functions.example.com#',
  'https://functions.example.com/?a=b',
])('%s is refused', (address) => {
  const result = normaliseAddress(address);
  expect(result).toEqual({ problem: expect.stringMatching(/^expected /) });
  expect(JSON.stringify(result)).not.toContain('secret');
});

test('digests are lower-case hex', () => {
  expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(sha256Hex(new TextEncoder().encode('abc'))).toBe(sha256Hex('abc'));
});
