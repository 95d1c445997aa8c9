/**
 * An SFTPGo kms plugin on AWS KMS, configured by allow-lists. Secrets have the format of SFTPGo's own kms plugin: it
 * reads what this one wrote, and the other way round. Subpath `sftpgo-plugin-serverless/functions/kms`.
 */
import { DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms';
import { decodeBase64, encodeBase64 } from '../../proto/base64.ts';
import { type Context, FunctionError, type KMSPlugin, kms } from '../kit/index.ts';
import { type AllowedKeyUrl, allowedKeyUrl } from './allowed.ts';
import { kmsClients } from './clients.ts';
import { keyCheck } from './key-check.ts';
import { parseKeyUrl } from './key-url.ts';
import { kmsError } from './kms-error.ts';
import { type AwsKmsOptions, checkOptions } from './options.ts';

export type { AwsKmsOptions } from './options.ts';

/** What the plugin reads of its environment. */
export interface AwsKmsEnv {
  /** The function's own region; Lambda sets it. */
  readonly AWS_REGION?: string | undefined;
}

/**
 * Makes a kms plugin on AWS KMS. Credentials: the function's role, or what the AWS SDK finds.
 *
 * ```ts
 * import { awsKms } from 'sftpgo-plugin-serverless/functions/kms';
 *
 * export default awsKms({ keys: ['alias/sftpgo'], contextKeys: ['app'] });
 * ```
 *
 * @throws PluginError CONFIG_INVALID for options that cannot be meant
 */
export function awsKms(options: AwsKmsOptions): KMSPlugin<AwsKmsEnv> {
  checkOptions(options);
  const clientOf = kmsClients();
  const checkKey = keyCheck(options.keys);

  async function send<T>(name: string, { log }: Context<AwsKmsEnv>, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (thrown) {
      if (thrown instanceof FunctionError) throw thrown;
      const error = kmsError(thrown);
      log.error(`${name} failed`, { code: error.code, error: String(thrown) });
      throw error;
    }
  }

  const keyUrl = (url: string, { env }: Context<AwsKmsEnv>): AllowedKeyUrl =>
    allowedKeyUrl(parseKeyUrl(url), options, env.AWS_REGION || undefined);

  return kms<AwsKmsEnv>({
    async encrypt({ payload, url }, context) {
      const allowed = keyUrl(url, context);
      const { CiphertextBlob } = await send('Encrypt', context, () =>
        clientOf(allowed).send(
          new EncryptCommand({
            KeyId: allowed.keyId,
            Plaintext: new TextEncoder().encode(payload),
            EncryptionContext: { ...allowed.context },
          }),
          { abortSignal: context.signal },
        ),
      );
      if (CiphertextBlob === undefined)
        throw new FunctionError('internal', 'KMS answered without a ciphertext');
      return encodeBase64(CiphertextBlob);
    },
    async decrypt({ payload, url }, context) {
      const allowed = keyUrl(url, context);
      const ciphertext = decodeBase64(payload);
      if (ciphertext === undefined) throw new FunctionError('invalid_argument', 'the payload is not base64');
      const client = clientOf(allowed);
      // without KeyId, as the Go CDK does: a secret may lie under a key that the URL names no more
      const { Plaintext, KeyId } = await send('Decrypt', context, () =>
        client.send(
          new DecryptCommand({ CiphertextBlob: ciphertext, EncryptionContext: { ...allowed.context } }),
          { abortSignal: context.signal },
        ),
      );
      await checkKey(client, KeyId ?? '', allowed.region, context);
      if (Plaintext === undefined) throw new FunctionError('internal', 'KMS answered without a plaintext');
      return readText(Plaintext);
    },
  });
}

function readText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FunctionError('invalid_argument', 'the decrypted secret is not text');
  }
}
