import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createCaller } from './fixtures/caller.ts';
import { FunctionError, type KMS, kms } from './index.ts';
import { call } from './test.ts';

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** "Encrypts" by base64. */
const plain: KMS<{ readonly KEY: string }> = {
  encrypt: ({ payload }, { env }) => Buffer.from(`${env.KEY}${payload}`).toString('base64'),
  decrypt: ({ payload }, { env }) => Buffer.from(payload, 'base64').toString().slice(env.KEY.length),
};
const url = 'awskms://alias/sftpgo';

test('a kms plugin handles both RPCs', () => {
  expect(kms(plain)).toMatchObject({ type: 'kms', handles: ['Decrypt', 'Encrypt'] });
});

test.each(['encrypt', 'decrypt'])('without %s there is no plugin', (name) => {
  expect(() => kms({ ...plain, [name]: undefined } as unknown as typeof plain)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', happened: `the kms plugin has no ${name}` }),
  );
});

test('kit/test: a round trip with an environment', async () => {
  const { encrypt, decrypt } = call(kms(plain), { env: { KEY: 'k:' } });
  const payload = await encrypt({ payload: 'my secret', url });
  expect(payload).toBe(Buffer.from('k:my secret').toString('base64'));
  expect(await decrypt({ payload, url })).toBe('my secret');
});

test('handlers get payload and url only', async () => {
  const encrypt = vi.fn(async () => 'YQ==');
  await call(kms({ ...plain, encrypt })).encrypt({ payload: 'x', url, key: 'k', masterKey: 'm' } as never);
  expect(encrypt).toHaveBeenCalledWith({ payload: 'x', url }, expect.anything());
});

test('an empty payload is refused before the handler is asked', async () => {
  const decrypt = vi.fn(async () => 'x');
  await expect(call(kms({ ...plain, decrypt })).decrypt({ payload: '', url })).rejects.toMatchObject({
    code: 'invalid_argument',
  });
  expect(decrypt).not.toHaveBeenCalled();
});

test.each([
  ['nothing', undefined],
  ['the empty string', ''],
  ['bytes', Uint8Array.of(1)],
  ['text that is no base64', 'secret'],
  ['base64 without padding', 'YQ'],
])('an encrypt that returns %s fails', async (_, made) => {
  const plugin = kms({ ...plain, encrypt: () => made as string });
  await expect(call(plugin).encrypt({ payload: 'x', url })).rejects.toThrow(TypeError);
});

test.each([undefined, ''])('a decrypt that returns %j fails', async (made) => {
  const plugin = kms({ ...plain, decrypt: () => made as string });
  await expect(call(plugin).decrypt({ payload: 'YQ==', url })).rejects.toThrow(TypeError);
});

test('over the wire: payload in, payload out; a FunctionError keeps its code, other throws become internal', async () => {
  const caller = createCaller();
  const plugin = kms({
    encrypt: ({ payload }) => Buffer.from(payload).toString('base64'),
    decrypt({ payload }) {
      if (payload === 'YQ==') throw new FunctionError('failed_precondition', 'the key is disabled');
      throw new Error('a secret of the author');
    },
  });
  const ask = async (rpc: string, body: object) => {
    const request = await caller.sign({ rpc: `proto.KMS/${rpc}`, body });
    const response = await plugin.fetch(
      new Request(request.url, {
        method: 'POST',
        headers: request.headers.map(([name, value]) => [name, value]),
        body: request.body as Uint8Array<ArrayBuffer>,
      }),
      caller.env,
    );
    return { status: response.status, body: await response.json() };
  };
  expect(await ask('Encrypt', { payload: 'x', url })).toEqual({ status: 200, body: { payload: 'eA==' } });
  expect(await ask('Decrypt', { payload: 'YQ==', url })).toEqual({
    status: 400,
    body: { code: 'failed_precondition', message: 'the key is disabled' },
  });
  expect(await ask('Decrypt', { payload: 'Yg==', url })).toEqual({
    status: 500,
    body: { code: 'internal', message: expect.not.stringContaining('secret of the author') },
  });
});
