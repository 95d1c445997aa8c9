import { DescribeKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { type Context, FunctionError } from '../kit/index.ts';
import { refused } from './allowed.ts';
import { kmsError } from './kms-error.ts';
import { isAlias } from './options.ts';

/** How long the key behind an alias is remembered, in ms. */
const aliasMs = 300_000;

/** Throws unless the key that KMS decrypted with is on the list. */
export type KeyCheck = (
  client: KMSClient,
  keyArn: string,
  region: string,
  context: Context<unknown>,
) => Promise<void>;

/**
 * Checks which key KMS used: a ciphertext names its key itself, so whoever can write SFTPGo's database could have
 * one decrypted under a key of his own account.
 *
 * ARNs and ids on the list are compared; the key behind an alias is asked for (kms:DescribeKey) and remembered for
 * five minutes. The refusal names the key's ARN and the line to add.
 */
export function keyCheck(keys: readonly string[]): KeyCheck {
  const aliases = keys.filter(isAlias);
  const fixed = keys.filter((key) => !isAlias(key));
  /** ARN of an alias's key, by client and alias. */
  const remembered = new WeakMap<
    KMSClient,
    Map<string, { readonly arn: string; readonly untilMs: number }>
  >();

  async function arnOf(client: KMSClient, alias: string, context: Context<unknown>): Promise<string> {
    const known = remembered.get(client) ?? new Map();
    remembered.set(client, known);
    const entry = known.get(alias);
    if (entry !== undefined && performance.now() < entry.untilMs) return entry.arn;
    const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: alias }), {
      abortSignal: context.signal,
    });
    const arn = KeyMetadata?.Arn ?? '';
    known.set(alias, { arn, untilMs: performance.now() + aliasMs });
    return arn;
  }

  return async (client, keyArn, region, context) => {
    if (keyArn === '') throw new FunctionError('internal', 'KMS did not say which key it used');
    if (fixed.some((key) => key === keyArn || keyArn.endsWith(`:key/${key}`))) return;
    for (const alias of aliases) {
      if (alias.startsWith('arn:') && alias.split(':')[3] !== region) continue;
      try {
        if ((await arnOf(client, alias, context)) === keyArn) return;
      } catch (thrown) {
        const { code, message } = kmsError(thrown);
        context.log.error('cannot tell which key the alias names', { alias, code, error: message });
        if (code === 'unavailable' || code === 'deadline_exceeded') throw kmsError(thrown);
      }
    }
    const refusal = refused('keys', keyArn);
    context.log.error('a secret lies under a key that is not on the list', {
      key: keyArn,
      remedy: refusal.message,
    });
    throw refusal;
  };
}
