import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  KMSClient,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { findMoto, startMoto } from '../support/moto.ts';
import { startKmsServer } from './kms-server.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);

/** A client of one server, and what most cases need. */
interface Peer {
  readonly kms: KMSClient;
  newKey(): Promise<{ id: string; arn: string }>;
  encrypt(KeyId: string, text?: string, EncryptionContext?: Record<string, string>): Promise<Uint8Array>;
  decrypt(
    CiphertextBlob: Uint8Array,
    EncryptionContext?: Record<string, string>,
    KeyId?: string,
  ): Promise<string>;
}

function peerAt(endpoint: string, region = 'eu-central-1'): Peer {
  const kms = new KMSClient({ region, endpoint, maxAttempts: 1 });
  return {
    kms,
    async newKey() {
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Description: 'test' }));
      return { id: KeyMetadata?.KeyId ?? '', arn: KeyMetadata?.Arn ?? '' };
    },
    async encrypt(KeyId, text = 'my secret', EncryptionContext = {}) {
      const answer = await kms.send(new EncryptCommand({ KeyId, Plaintext: utf8(text), EncryptionContext }));
      return answer.CiphertextBlob ?? new Uint8Array();
    },
    async decrypt(CiphertextBlob, EncryptionContext = {}, KeyId = undefined) {
      const input = { CiphertextBlob, EncryptionContext, ...(KeyId === undefined ? {} : { KeyId }) };
      const { Plaintext } = await kms.send(new DecryptCommand(input));
      return Buffer.from(Plaintext ?? '').toString();
    },
  };
}

/** What came out, in words that two servers share: the value, or the name of the error. */
async function outcome(run: Promise<unknown>): Promise<unknown> {
  return await run.catch((error: unknown) => (error instanceof Error ? error.name : error));
}

/** What AWS documents for a case; `moto`: where moto is known to answer otherwise. */
interface Case {
  readonly name: string;
  readonly expected: unknown;
  readonly moto?: unknown;
  run(peer: Peer): Promise<unknown>;
}

let count = 0;
const newAlias = () => `alias/case-${process.pid}-${count++}`;
const flip = (bytes: Uint8Array, at: number) => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
const unknownId = '00000000-0000-4000-8000-000000000000';

const cases: readonly Case[] = [
  {
    name: 'round trip',
    expected: 'my secret',
    run: async ({ newKey, encrypt, decrypt }) => await decrypt(await encrypt((await newKey()).id)),
  },
  {
    name: 'the answers name the ARN and the algorithm',
    expected: [true, 'SYMMETRIC_DEFAULT', true, 'SYMMETRIC_DEFAULT'],
    moto: [true, undefined, true, undefined],
    async run({ kms, newKey }) {
      const { id, arn } = await newKey();
      const sealed = await kms.send(new EncryptCommand({ KeyId: id, Plaintext: utf8('x') }));
      const opened = await kms.send(new DecryptCommand({ CiphertextBlob: sealed.CiphertextBlob }));
      return [
        sealed.KeyId === arn,
        sealed.EncryptionAlgorithm,
        opened.KeyId === arn,
        opened.EncryptionAlgorithm,
      ];
    },
  },
  {
    name: 'two ciphertexts of one secret differ',
    expected: true,
    async run({ newKey, encrypt }) {
      const { id } = await newKey();
      return !Buffer.from(await encrypt(id)).equals(await encrypt(id));
    },
  },
  {
    name: 'the order of the encryption context does not matter',
    expected: 'my secret',
    async run({ newKey, encrypt, decrypt }) {
      return await decrypt(await encrypt((await newKey()).id, 'my secret', { a: '1', b: '2' }), {
        b: '2',
        a: '1',
      });
    },
  },
  ...[{}, { a: '2' }, { a: '1', b: '2' }, { A: '1' }].map(
    (context): Case => ({
      name: `another encryption context: ${JSON.stringify(context)}`,
      expected: 'InvalidCiphertextException',
      run: async ({ newKey, encrypt, decrypt }) =>
        await decrypt(await encrypt((await newKey()).id, 'x', { a: '1' }), context as Record<string, string>),
    }),
  ),
  {
    name: 'the last byte changed',
    expected: 'InvalidCiphertextException',
    async run({ newKey, encrypt, decrypt }) {
      const sealed = await encrypt((await newKey()).id);
      return await decrypt(flip(sealed, sealed.length - 1));
    },
  },
  {
    name: 'bytes that are no ciphertext',
    expected: 'InvalidCiphertextException',
    moto: 'AccessDeniedException',
    run: async ({ decrypt }) => await decrypt(utf8('x'.repeat(120))),
  },
  {
    name: 'the right key named',
    expected: 'my secret',
    async run({ newKey, encrypt, decrypt }) {
      const { id, arn } = await newKey();
      return await decrypt(await encrypt(id), {}, arn);
    },
  },
  {
    name: 'another key named',
    expected: 'IncorrectKeyException',
    moto: 'AccessDeniedException',
    run: async ({ newKey, encrypt, decrypt }) =>
      await decrypt(await encrypt((await newKey()).id), {}, (await newKey()).id),
  },
  {
    name: 'an unknown key',
    expected: 'NotFoundException',
    run: async ({ encrypt }) => await encrypt(unknownId),
  },
  {
    name: 'an unknown alias',
    expected: 'NotFoundException',
    run: async ({ encrypt }) => await encrypt('alias/unknown'),
  },
  {
    name: 'an ARN of another region',
    expected: 'NotFoundException',
    run: async ({ encrypt }) => await encrypt(`arn:aws:kms:us-east-1:111122223333:key/${unknownId}`),
  },
  {
    name: '4,096 bytes',
    expected: 4096,
    async run({ newKey, encrypt, decrypt }) {
      return (await decrypt(await encrypt((await newKey()).id, 'x'.repeat(4096)))).length;
    },
  },
  {
    name: '4,097 bytes',
    expected: 'ValidationException',
    run: async ({ newKey, encrypt }) => await encrypt((await newKey()).id, 'x'.repeat(4097)),
  },
  {
    name: 'no bytes',
    expected: 'ValidationException',
    run: async ({ newKey, encrypt }) => await encrypt((await newKey()).id, ''),
  },
  {
    name: 'a disabled key encrypts nothing',
    expected: 'DisabledException',
    moto: expect.any(Uint8Array),
    async run({ kms, newKey, encrypt }) {
      const { id } = await newKey();
      await kms.send(new DisableKeyCommand({ KeyId: id }));
      return await encrypt(id);
    },
  },
  {
    name: 'a disabled key decrypts nothing',
    expected: 'DisabledException',
    moto: 'my secret',
    async run({ kms, newKey, encrypt, decrypt }) {
      const { id } = await newKey();
      const sealed = await encrypt(id);
      await kms.send(new DisableKeyCommand({ KeyId: id }));
      return await decrypt(sealed);
    },
  },
  {
    name: 'a key that is about to be deleted',
    expected: 'KMSInvalidStateException',
    moto: 'my secret',
    async run({ kms, newKey, encrypt, decrypt }) {
      const { id } = await newKey();
      const sealed = await encrypt(id);
      await kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: 30 }));
      return await decrypt(sealed);
    },
  },
  {
    name: 'an alias, moved to another key: old ciphertexts still open, new ones are of the new key',
    expected: ['my secret', true],
    async run({ kms, newKey, encrypt, decrypt }) {
      const [first, second] = [await newKey(), await newKey()];
      const alias = newAlias();
      await kms.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: first.id }));
      const sealed = await encrypt(alias);
      await kms.send(new UpdateAliasCommand({ AliasName: alias, TargetKeyId: second.id }));
      const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: alias }));
      return [await decrypt(sealed), KeyMetadata?.Arn === second.arn];
    },
  },
  {
    name: 'an alias that exists',
    expected: 'AlreadyExistsException',
    async run({ kms, newKey }) {
      const create = new CreateAliasCommand({ AliasName: newAlias(), TargetKeyId: (await newKey()).id });
      await kms.send(create);
      return await kms.send(create);
    },
  },
  {
    name: 'what DescribeKey says',
    expected: { Enabled: true, KeyState: 'Enabled', KeyUsage: 'ENCRYPT_DECRYPT', Description: 'test' },
    moto: { Enabled: true, KeyState: 'Enabled', KeyUsage: undefined, Description: 'test' },
    async run({ kms, newKey }) {
      const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: (await newKey()).id }));
      const { Enabled, KeyState, KeyUsage, Description } = KeyMetadata ?? {};
      return { Enabled, KeyState, KeyUsage, Description };
    },
  },
  {
    name: 'ReEncrypt, from one key and context to another',
    expected: ['my secret', 'InvalidCiphertextException'],
    async run({ kms, newKey, encrypt, decrypt }) {
      const [from, to] = [await newKey(), await newKey()];
      const { CiphertextBlob = new Uint8Array() } = await kms.send(
        new ReEncryptCommand({
          CiphertextBlob: await encrypt(from.id, 'my secret', { a: '1' }),
          SourceEncryptionContext: { a: '1' },
          DestinationKeyId: to.id,
          DestinationEncryptionContext: { b: '2' },
        }),
      );
      return [
        await decrypt(CiphertextBlob, { b: '2' }, to.id),
        await outcome(decrypt(CiphertextBlob, { a: '1' })),
      ];
    },
  },
  {
    name: 'GenerateDataKey: the same bytes in clear and encrypted',
    expected: [32, true],
    async run({ kms, newKey }) {
      const made = await kms.send(
        new GenerateDataKeyCommand({ KeyId: (await newKey()).id, KeySpec: 'AES_256' }),
      );
      const { Plaintext = new Uint8Array() } = await kms.send(
        new DecryptCommand({ CiphertextBlob: made.CiphertextBlob }),
      );
      return [made.Plaintext?.length, Buffer.from(Plaintext).equals(made.Plaintext ?? new Uint8Array())];
    },
  },
];

const byName = cases.map((one) => [one.name, one] as const);

beforeAll(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
});
afterAll(() => {
  vi.unstubAllEnvs();
});

describe('the KMS server of the tests, as AWS documents KMS', () => {
  let server: Awaited<ReturnType<typeof startKmsServer>>;
  beforeAll(async () => {
    server = await startKmsServer();
  });
  afterAll(async () => await server.close());

  test.each(byName)('%s', async (_, { run, expected }) => {
    const peer = peerAt(server.url);
    expect(await outcome(run(peer))).toEqual(expected);
    peer.kms.destroy();
  });

  test('every byte of a ciphertext counts', async () => {
    const peer = peerAt(server.url);
    const sealed = await peer.encrypt((await peer.newKey()).id, 'x', { a: '1' });
    for (let at = 0; at < sealed.length; at += 1) {
      expect(await outcome(peer.decrypt(flip(sealed, at), { a: '1' }))).toBe('InvalidCiphertextException');
    }
    peer.kms.destroy();
  });

  test('a key is in one region', async () => {
    const [here, there] = [peerAt(server.url), peerAt(server.url, 'us-east-1')];
    const { id } = await here.newKey();
    expect(await outcome(there.encrypt(id))).toBe('NotFoundException');
    expect(await outcome(there.decrypt(await here.encrypt(id)))).toBe('InvalidCiphertextException');
    for (const { kms } of [here, there]) kms.destroy();
  });

  test('a request without a signature is refused', async () => {
    const answer = await fetch(server.url, {
      method: 'POST',
      headers: { 'x-amz-target': 'TrentService.Decrypt' },
    });
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      { __type: 'MissingAuthenticationTokenException' },
    ]);
  });
});

const moto = await findMoto();
const skipped = 'skipped' in moto ? moto.skipped : undefined;

describe.skipIf(skipped !== undefined)(`moto says the same${skipped ? ` (${skipped})` : ''}`, () => {
  let server: Awaited<ReturnType<typeof startMoto>>;
  beforeAll(async () => {
    server = await startMoto('program' in moto ? moto.program : '');
  });
  afterAll(async () => await server?.close());

  test.each(byName)('%s', async (_, { run, expected, moto: otherwise = expected }) => {
    const peer = peerAt(server.url);
    expect(await outcome(run(peer))).toEqual(otherwise);
    peer.kms.destroy();
  });
});
