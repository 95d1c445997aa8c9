import { generateKeyPairSync } from 'node:crypto';
import * as z from 'zod';
import { PluginError } from '../../../proto/error.ts';
import type { PublicJwk } from '../../../proto/keys/jwk.ts';
import type { AcceptedVersion } from '../../../proto/lock/schema.ts';
import { nodeVerifyingKey } from '../../../proto/signature/node.ts';
import type { VerifyingKey } from '../../../proto/signature/port.ts';

/** `config.environment` of a lock: variables for the function; none of them may be a setting of ours. */
const environment = z.record(z.string().regex(/^(?!PLUGIN_)/), z.string()).default({});

/**
 * What a local function gets as its `env`: who it is, whose calls it may answer, a key that was made this moment and
 * is stored nowhere, and the variables of the lock. Throws LOCK_INVALID for variables that are none.
 */
export function localSettings(
  functionName: string,
  accepted: AcceptedVersion,
  caller: PublicJwk,
): { env: Readonly<Record<string, string>>; key: VerifyingKey } {
  const variables = environment.safeParse(accepted.config['environment']);
  if (!variables.success) {
    throw new PluginError('LOCK_INVALID', {
      happened: `config.environment of ${functionName} is not usable`,
      expected: 'names with text, none of them beginning with PLUGIN_',
      remedy: 'Correct it and build the lock again.',
    });
  }
  const { x = '', d = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const jwk = { kty: 'OKP', crv: 'Ed25519', x } as const;
  return {
    env: {
      ...variables.data,
      PLUGIN_FUNCTION: functionName,
      PLUGIN_CALLERS: JSON.stringify({ keys: [caller] }),
      PLUGIN_KEY: JSON.stringify({ ...jwk, d }),
    },
    key: nodeVerifyingKey(jwk),
  };
}
