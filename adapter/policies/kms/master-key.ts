import { randomBytes } from 'node:crypto';
import { create, type MessageShape } from '@bufbuild/protobuf';
import { PluginError } from '../../../proto/error.ts';
import {
  DecryptResponseSchema,
  EncryptRequestSchema,
  EncryptResponseSchema,
} from '../../../proto/gen/sftpgo/kms_pb.ts';
import type { Call, Handler, Policy, Reply } from '../../shapes.ts';
import { boxTextBytes, maxPayloadBytes, openBox, sealBox } from './box.ts';
import { decryptRequest, encryptRequest } from './requests.ts';
import type { Scheme } from './schemes.ts';

export interface MasterKeyOptions {
  /** The service behind the function. */
  readonly scheme: Scheme;
  /** Told once that secrets reach the function in clear text. */
  warn(message: string): void;
  /** Secure random bytes; node:crypto's when absent. */
  readonly random?: (bytes: number) => Uint8Array;
}

const secretKeyBytes = 32;

/**
 * The layer between SFTPGo's secrets and the function: with a master key, the function and the service behind it
 * see only a sealed box, and key, mode, additional data and master key stay on this host. The format is that of
 * SFTPGo's own kms plugin, both ways (docs/kms.md, "Format").
 *
 * Throws INPUT_INVALID for what cannot be encrypted or opened, ANSWER_INVALID for an answer that is not the box.
 */
export function masterKey(options: MasterKeyOptions): Policy {
  let warned = false;
  const warnOnce = () => {
    if (warned) return;
    warned = true;
    options.warn(
      'SFTPGo has no kms.secrets.master_key: the function sees secrets in clear text. With one it sees sealed boxes.',
    );
  };
  return {
    name: 'master-key',
    wrap: (next) => async (call) => {
      const toEncrypt = encryptRequest(call);
      if (toEncrypt) {
        if (toEncrypt.masterKey === '') warnOnce();
        return await encrypt(next, call, toEncrypt, options);
      }
      const toDecrypt = decryptRequest(call);
      return toDecrypt ? await decrypt(next, call, toDecrypt) : await next(call);
    },
  };
}

async function encrypt(
  next: Handler,
  call: Call,
  asked: MessageShape<typeof EncryptRequestSchema>,
  { scheme, random = randomBytes }: MasterKeyOptions,
): Promise<Reply> {
  const { payload, additionalData, url } = asked;
  const below = asked.masterKey !== '';
  checkSize(payload, below, scheme.maxPlaintextBytes);
  const secretKey = below ? random(secretKeyBytes) : new Uint8Array();
  const box = below
    ? sealBox(payload, { secretKey, additionalData, masterKey: asked.masterKey }, random(24))
    : payload;
  const reply = await next({ ...call, input: create(EncryptRequestSchema, { payload: box, url }) });
  const answer = reply.output as MessageShape<typeof EncryptResponseSchema>;
  const output = create(EncryptResponseSchema, {
    payload: answer.payload,
    key: Buffer.from(secretKey).toString('hex'),
    mode: below ? 1 : 0,
  });
  return { ...reply, output };
}

async function decrypt(
  next: Handler,
  call: Call,
  asked: NonNullable<ReturnType<typeof decryptRequest>>,
): Promise<Reply> {
  const { payload, key, mode, additionalData } = asked;
  if (payload === '') throw invalid('Decrypt was given no payload', 'a stored secret');
  if (key !== '' && !/^[0-9a-fA-F]{64}$/.test(key)) {
    throw invalid('Decrypt was given a key that is none', 'no key, or one of 64 hexadecimal digits');
  }
  const reply = await next(call);
  if (key === '') return reply;
  const box = (reply.output as MessageShape<typeof DecryptResponseSchema>).payload;
  const opened = openBox(box, {
    secretKey: Buffer.from(key, 'hex'),
    additionalData,
    masterKey: mode === 0 ? '' : asked.masterKey,
  });
  if (opened === undefined) {
    throw new PluginError('ANSWER_INVALID', {
      happened: 'the decrypted secret does not open with the master key of SFTPGo',
      expected: 'a secret that was sealed under the same master key, for the same user or object',
      remedy:
        'Look whether kms.secrets.master_key or master_key_path of SFTPGo has changed since it was saved.',
    });
  }
  return { ...reply, output: create(DecryptResponseSchema, { payload: opened }) };
}

function checkSize(payload: string, below: boolean, maxTextBytes: number | undefined): void {
  if (payload === '') throw invalid('Encrypt was given no payload', 'a secret');
  const bytes = Buffer.byteLength(payload);
  if (maxTextBytes === undefined || (below ? boxTextBytes(bytes) : bytes) <= maxTextBytes) return;
  const limit = below ? maxPayloadBytes(maxTextBytes) : maxTextBytes;
  throw new PluginError('INPUT_INVALID', {
    happened: `a secret of ${bytes} bytes is to be encrypted ${below ? 'below a master key' : 'without a master key'}`,
    expected: `at most ${limit} bytes: the service behind the function encrypts ${maxTextBytes}`,
    remedy: below
      ? `Use a shorter key or credential (a key on an elliptic curve instead of RSA with 4096 bits).`
      : 'Use a shorter key or credential.',
  });
}

function invalid(happened: string, expected: string): PluginError {
  return new PluginError('INPUT_INVALID', {
    happened,
    expected,
    remedy: 'Enter the secret again in SFTPGo and save it.',
  });
}
