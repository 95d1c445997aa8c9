import { decodeBase64 } from '../../proto/base64.ts';
import { PluginError } from '../../proto/error.ts';
import { kmsService } from '../../proto/gen/wire.ts';
import type { Context } from './context.ts';
import { definePlugin } from './define.ts';
import { maxDrainBytes } from './limits.ts';
import type { Outcome, Plugin } from './plugin.ts';
import { refusal } from './refusal.ts';

/** What is to be encrypted or decrypted. */
export interface KMSRequest {
  /**
   * Encrypt: the text to encrypt, never empty; below a master key of SFTPGo it is a sealed box already. Decrypt:
   * what encrypt answered.
   */
  readonly payload: string;
  /** `kms.secrets.url` as SFTPGo is configured now. Check it: it names the key, and whom the secret is sent to. */
  readonly url: string;
}

/** What the author of a kms plugin writes; both are needed. */
export interface KMS<Env> {
  /** Encrypts when a secret is saved. Answers canonical base64, which SFTPGo stores. */
  encrypt(request: KMSRequest, context: Context<Env>): string | Promise<string>;
  /**
   * Decrypts what encrypt answered. SFTPGo asks at least once a login with cloud storage; throw a
   * {@link FunctionError} when it cannot be done, `unavailable` where a later try may succeed.
   */
  decrypt(request: KMSRequest, context: Context<Env>): string | Promise<string>;
}

/** What {@link kms} makes: the default export of a kms function. */
export interface KMSPlugin<Env = unknown> extends Plugin<Env> {
  readonly type: 'kms';
}

/**
 * Makes an SFTPGo kms plugin. The master-key layer is the adapter's: the function gets the url and a payload, and no
 * key, mode, username or master key (docs/kms.md).
 *
 * ```ts
 * import { kms } from 'sftpgo-plugin-serverless/kit';
 * import { seal, open } from './vault.ts';
 *
 * export default kms<{ VAULT_KEY: string }>({
 *   encrypt: ({ payload }, { env }) => seal(payload, env.VAULT_KEY),
 *   decrypt: ({ payload }, { env }) => open(payload, env.VAULT_KEY),
 * });
 * ```
 *
 * @throws PluginError CONFIG_INVALID when one of the two is missing: secrets could be stored and never read
 */
export function kms<Env = unknown>(service: KMS<Env>): KMSPlugin<Env> {
  const { encrypt, decrypt } = kmsService.methods;
  for (const name of ['encrypt', 'decrypt'] as const) {
    if (typeof service[name] === 'function') continue;
    throw new PluginError('CONFIG_INVALID', {
      happened: `the kms plugin has no ${name}`,
      expected: 'both encrypt and decrypt',
      remedy: `Write ${name} in the object given to kms().`,
    });
  }
  const plugin = definePlugin<Env>({
    type: 'kms',
    service: kmsService.typeName,
    maxRequestBytes: maxDrainBytes,
    rpcs: {
      [encrypt.name]: {
        table: encrypt,
        run: (input: KMSRequest, context) => answer('encrypt', service, input, context),
      },
      [decrypt.name]: {
        table: decrypt,
        run: (input: KMSRequest, context) => answer('decrypt', service, input, context),
      },
    },
  });
  return { ...plugin, type: 'kms' };
}

async function answer<Env>(
  name: keyof KMS<Env>,
  service: KMS<Env>,
  { payload, url }: KMSRequest,
  context: Context<Env>,
): Promise<Outcome> {
  if (payload === '') return refusal('invalid_argument', 'the payload is empty');
  const made: unknown = await service[name]({ payload, url }, context);
  if (typeof made !== 'string' || made === '') throw new TypeError(`${name} must return text, and did not`);
  if (name === 'encrypt' && decodeBase64(made) === undefined) {
    throw new TypeError('encrypt must return base64, padded and without white space');
  }
  return { output: { payload: made } };
}
