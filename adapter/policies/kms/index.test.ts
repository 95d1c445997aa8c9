import { readFileSync } from 'node:fs';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  type DecryptRequestSchema,
  DecryptResponseSchema,
  type EncryptRequestSchema,
  EncryptResponseSchema,
  KMS,
} from '../../../proto/gen/sftpgo/kms_pb.ts';
import { callOf, recordingLog } from '../../../test/support/invoke.ts';
import { codeOf, factsWith, failure, signedError } from '../../../test/support/policies.ts';
import type { Call, Handler, Policy, Trace } from '../../shapes.ts';
import { compose } from '../compose.ts';
import { type KmsSection, kmsOptionsOf, kmsSection } from './config.ts';
import { kmsPolicies } from './index.ts';
import { masterKey } from './master-key.ts';
import { decryptRequest, encryptRequest } from './requests.ts';
import { schemes } from './schemes.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const { boxes } = JSON.parse(
  readFileSync(new URL('../../../test/vectors/kms.json', import.meta.url), 'utf8'),
);
const [vector] = boxes;

/** A service that "encrypts" by base64, and keeps what it saw. `answer` overrides, `fail` throws. */
function service() {
  const state: {
    calls: Call[];
    saw: string[];
    fail?: Error;
    encrypt?: MessageInitShape<typeof EncryptResponseSchema>;
    decrypt?: MessageInitShape<typeof DecryptResponseSchema>;
  } = { calls: [], saw: [] };
  const handle: Handler = async (call) => {
    state.calls.push(call);
    if (state.fail) throw state.fail;
    const asked = encryptRequest(call);
    if (asked) {
      state.saw.push(asked.payload);
      const payload = Buffer.from(asked.payload).toString('base64');
      return { output: create(EncryptResponseSchema, state.encrypt ?? { payload }), facts: factsWith() };
    }
    const payload = Buffer.from(decryptRequest(call)?.payload ?? '', 'base64').toString();
    return { output: create(DecryptResponseSchema, state.decrypt ?? { payload }), facts: factsWith() };
  };
  return Object.assign(state, { handle });
}

function kms(section: object = {}, policies?: readonly Policy[]) {
  const next = service();
  const log = recordingLog();
  const parsed: KmsSection = kmsSection.parse({ use: 'vault', ...section });
  const handle = compose(policies ?? kmsPolicies(parsed, { functionName: 'vault@live', log }), next.handle);
  return {
    next,
    log,
    async encrypt(input: MessageInitShape<typeof EncryptRequestSchema>) {
      const call = callOf(KMS.method.encrypt, {
        payload: 'my secret',
        additionalData: 'user1',
        url,
        ...input,
      });
      const { payload, key, mode } = (await handle(call)).output as ReturnType<
        typeof create<typeof EncryptResponseSchema>
      >;
      return { payload, key, mode };
    },
    async decrypt(input: MessageInitShape<typeof DecryptRequestSchema>, trace: Trace = {}): Promise<string> {
      const call = callOf(KMS.method.decrypt, { additionalData: 'user1', url, ...input }, { trace });
      return ((await handle(call)).output as ReturnType<typeof create<typeof DecryptResponseSchema>>).payload;
    },
  };
}

const url = 'awskms://alias/sftpgo?region=eu-central-1';
const sealed = Buffer.from(vector.box).toString('base64');
const stored = { payload: sealed, key: vector.secretKey, mode: 1, masterKey: 'master-key' };

test('the vector of Go, through the policy: key in hexadecimal, mode 1, a box for the function', async () => {
  const random = (bytes: number) => Buffer.from(bytes === 32 ? vector.secretKey : vector.nonce, 'hex');
  const { next, encrypt } = kms({}, [masterKey({ scheme: schemes.awskms, warn: () => undefined, random })]);
  expect(await encrypt({ masterKey: 'master-key' })).toEqual({
    payload: sealed,
    key: vector.secretKey,
    mode: 1,
  });
  expect(next.saw).toEqual([vector.box]);
});

test('a stored secret is opened below its master key', async () => {
  expect(await kms().decrypt(stored)).toBe('my secret');
  expect(await kms().decrypt({ ...stored, key: vector.secretKey.toUpperCase() })).toBe('my secret');
});

test.each([
  ['mode 0, whatever the master key', { mode: 0, masterKey: 'master-key' }],
  ['any mode, without a master key', { mode: 1, masterKey: '' }],
  ['both', { mode: 0, masterKey: '' }],
])('a secret with a key but %s opens by its own key alone', async (_, how) => {
  const box = Buffer.from(boxes[1].box).toString('base64');
  expect(await kms().decrypt({ payload: box, key: vector.secretKey, ...how })).toBe('my secret');
});

test('a negative mode is a mode below a master key', async () => {
  expect(await kms().decrypt({ ...stored, mode: -5 })).toBe('my secret');
});

test('round trip: a new key and a new box for every Encrypt', async () => {
  const { encrypt, decrypt, next } = kms();
  const first = await encrypt({ masterKey: 'm' });
  const second = await encrypt({ masterKey: 'm' });
  expect(first.key).toMatch(/^[0-9a-f]{64}$/);
  expect(first.mode).toBe(1);
  expect([second.key, second.payload]).not.toContain(first.key);
  expect(new Set(next.saw).size).toBe(2);
  for (const answer of [first, second])
    expect(await decrypt({ ...answer, masterKey: 'm' })).toBe('my secret');
});

test('the function sees a box and the url, and nothing else of the request', async () => {
  const { encrypt, next } = kms();
  await encrypt({ masterKey: 'master-key' });
  const asked = next.calls[0] && encryptRequest(next.calls[0]);
  expect(asked).toMatchObject({ additionalData: '', masterKey: '', url });
  expect(asked?.payload).not.toContain('my secret');
});

test('without a master key: clear text to the function, no key, mode 0, and one warning', async () => {
  const { encrypt, decrypt, next, log } = kms();
  const answer = await encrypt({});
  expect(answer).toEqual({ payload: Buffer.from('my secret').toString('base64'), key: '', mode: 0 });
  expect(next.saw).toEqual(['my secret']);
  await encrypt({});
  expect(await decrypt({ ...answer, masterKey: 'added later' })).toBe('my secret');
  expect(log.lines).toEqual([{ level: 'warn', text: expect.stringContaining('clear text') }]);
});

test('with a master key there is no warning', async () => {
  const { encrypt, log } = kms();
  await encrypt({ masterKey: 'm' });
  expect(log.lines).toEqual([]);
});

test.each([
  ['a master key', { masterKey: 'm' }, 3032],
  ['no master key', {}, 4096],
])('with %s at most %3$d bytes are encrypted, and the error names the limit', async (_, how, limit) => {
  const { encrypt, next } = kms();
  await encrypt({ payload: 'x'.repeat(limit), ...how });
  expect(Buffer.byteLength(next.saw[0] ?? '')).toBe(4096);
  for (const payload of ['x'.repeat(limit + 1), 'é'.repeat(limit / 2 + 1)]) {
    await expect(encrypt({ payload, ...how })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      expected: expect.stringContaining(`at most ${limit} bytes`),
    });
  }
  expect(next.calls).toHaveLength(1);
});

test('the limit is that of the scheme: none is known for Vault', async () => {
  await kms({ scheme: 'hashivault' }).encrypt({ payload: 'x'.repeat(100_000), masterKey: 'm' });
  const google = kms({ scheme: 'gcpkms' });
  await google.encrypt({ payload: 'x'.repeat(65_536) });
  expect(await codeOf(google.encrypt({ payload: 'x'.repeat(65_537) }))).toBe('INPUT_INVALID');
});

test('an empty secret is neither encrypted nor decrypted', async () => {
  const { encrypt, decrypt, next } = kms();
  expect(await codeOf(encrypt({ payload: '' }))).toBe('INPUT_INVALID');
  expect(await codeOf(decrypt({ payload: '' }))).toBe('INPUT_INVALID');
  expect(next.calls).toHaveLength(0);
});

test.each([
  '00',
  'g'.repeat(64),
  vector.secretKey.slice(1),
  `${vector.secretKey}0`,
  ` ${vector.secretKey.slice(1)}`,
])('a stored key "%s" is refused before anything is asked', async (key) => {
  const { decrypt, next } = kms();
  expect(await codeOf(decrypt({ ...stored, key }))).toBe('INPUT_INVALID');
  expect(next.calls).toHaveLength(0);
});

test.each([
  ['no payload', { payload: '' }],
  ['a payload that is no base64', { payload: 'clear text' }],
  ['base64 without its padding', { payload: 'YQ' }],
  ['base64 with stray bits', { payload: 'YR==' }],
  ['a line break in it', { payload: 'YWJj\n' }],
  ['a key', { payload: 'YQ==', key: vector.secretKey }],
  ['a mode', { payload: 'YQ==', mode: 1 }],
])('an answer to Encrypt with %s is refused', async (_, answer) => {
  const { encrypt, next } = kms();
  next.encrypt = answer;
  expect(await codeOf(encrypt({ masterKey: 'm' }))).toBe('ANSWER_INVALID');
  expect(await codeOf(encrypt({}))).toBe('ANSWER_INVALID');
});

test.each([
  ['nothing', ''],
  ['the clear text', 'my secret'],
  ['a box too short', 'YWJj'],
  ['another box', Buffer.alloc(80, 1).toString('base64')],
])('an answer to Decrypt below a master key that is %s is refused', async (_, payload) => {
  const { decrypt, next } = kms();
  next.decrypt = { payload };
  expect(await codeOf(decrypt(stored))).toBe('ANSWER_INVALID');
});

test('an empty answer to Decrypt without a key is refused, too', async () => {
  const { decrypt, next } = kms();
  next.decrypt = { payload: '' };
  expect(await codeOf(decrypt({ payload: 'YQ==' }))).toBe('ANSWER_INVALID');
});

test('a changed master key, or a secret moved to another user, is refused with the remedy', async () => {
  await expect(kms().decrypt({ ...stored, masterKey: 'another' })).rejects.toMatchObject({
    code: 'ANSWER_INVALID',
    remedy: expect.stringContaining('master_key'),
  });
  expect(await codeOf(kms().decrypt({ ...stored, additionalData: 'user2' }))).toBe('ANSWER_INVALID');
});

test('the cache is off unless a ttl is given, and calls at once do not share an answer', async () => {
  const { decrypt, next } = kms();
  await decrypt(stored);
  await Promise.all([decrypt(stored), decrypt(stored)]);
  expect(next.calls).toHaveLength(3);
});

test('a sealed answer is kept for the ttl, by url and payload', async () => {
  const { decrypt, next } = kms({ decryptCache: { ttl: '1m' } });
  const trace: Trace = {};
  await decrypt(stored);
  vi.advanceTimersByTime(59_999);
  expect(await decrypt(stored, trace)).toBe('my secret');
  expect(trace.answeredBy).toBe('cache');
  expect(next.calls).toHaveLength(1);
  await decrypt({ ...stored, url: `${url}&context_a=b` });
  expect(next.calls).toHaveLength(2);
  vi.advanceTimersByTime(1);
  await decrypt(stored);
  expect(next.calls).toHaveLength(3);
});

test('url and payload do not run into each other', async () => {
  const { decrypt, next } = kms({ decryptCache: { ttl: '1m' } });
  next.decrypt = { payload: vector.box };
  await decrypt({ ...stored, url: 'awskms://alias/a', payload: `bcde${sealed}` });
  await decrypt({ ...stored, url: 'awskms://alias/abcde', payload: sealed });
  expect(next.calls).toHaveLength(2);
});

test('the box is opened for every call: another master key or user is never served from the cache', async () => {
  const { decrypt, next } = kms({ decryptCache: { ttl: '1m' } });
  await decrypt(stored);
  expect(await codeOf(decrypt({ ...stored, masterKey: 'changed' }))).toBe('ANSWER_INVALID');
  expect(await codeOf(decrypt({ ...stored, additionalData: 'user2' }))).toBe('ANSWER_INVALID');
  expect(await codeOf(decrypt({ ...stored, key: '0'.repeat(64) }))).toBe('ANSWER_INVALID');
  expect(await decrypt(stored)).toBe('my secret');
  expect(next.calls).toHaveLength(1);
});

test('clear text is never kept: a secret without a key is asked for every time', async () => {
  const { decrypt, next } = kms({ decryptCache: { ttl: '1m' } });
  const clear = { payload: Buffer.from('my secret').toString('base64') };
  await decrypt(clear);
  await decrypt(clear);
  // the same ciphertext, said to have a key: nothing was kept of the clear text either
  await codeOf(decrypt({ ...clear, key: vector.secretKey }));
  expect(next.calls).toHaveLength(3);
});

test('Encrypt is never remembered', async () => {
  const { encrypt, next } = kms({ decryptCache: { ttl: '1m' } });
  await encrypt({ masterKey: 'm' });
  await encrypt({ masterKey: 'm' });
  expect(next.calls).toHaveLength(2);
});

test('errors and broken answers are not remembered, and no answer outlives its ttl in an outage', async () => {
  const { decrypt, next } = kms({ decryptCache: { ttl: '1m' } });
  next.fail = signedError('failed_precondition');
  expect(await codeOf(decrypt(stored))).toBe('FUNCTION_ERROR');
  delete next.fail;
  next.decrypt = { payload: 'no box' };
  expect(await codeOf(decrypt(stored))).toBe('ANSWER_INVALID');
  delete next.decrypt;
  expect(await decrypt(stored)).toBe('my secret');
  next.fail = failure('UNREACHABLE');
  expect(await decrypt(stored)).toBe('my secret');
  vi.advanceTimersByTime(60_000);
  for (const code of ['ANSWER_UNSIGNED', 'DRIFT'] as const) {
    next.fail = failure(code);
    expect(await codeOf(decrypt(stored))).toBe(code);
  }
});

test('a ttl over five minutes, a negative one and other schemes are refused', () => {
  for (const wrong of [
    { decryptCache: { ttl: '301s' } },
    { decryptCache: { ttl: 60 } },
    { scheme: 'awskm' },
    { encryptedStatus: 'aws' },
  ]) {
    expect(kmsSection.safeParse({ use: 'vault', ...wrong }).success).toBe(false);
  }
});

test.each([
  [{}, 'awskms', 'AWS'],
  [{ scheme: 'gcpkms' }, 'gcpkms', 'GCP'],
  [{ scheme: 'hashivault' }, 'hashivault', 'VaultTransit'],
  [{ scheme: 'azurekeyvault' }, 'azurekeyvault', 'AzureKeyVault'],
  [{ scheme: 'ocikeyvault' }, 'ocikeyvault', 'OracleKeyVault'],
  [{ encryptedStatus: 'GCP' }, 'awskms', 'GCP'],
])('kms_options of SFTPGo for %j', (section, scheme, encrypted_status) => {
  expect(kmsOptionsOf(kmsSection.parse({ use: 'vault', ...section }))).toEqual({ scheme, encrypted_status });
});
