import { PluginError } from '../../proto/error.ts';
import { parseJwks, parsePrivateJwk } from '../../proto/keys/parse.ts';
import { normaliseAddress } from '../../proto/lock/address.ts';
import { NonceMemory } from '../../proto/signature/nonces.ts';
import { type KeyRing, keyRing, type SigningKey } from '../../proto/signature/port.ts';
import { maxNonces } from './limits.ts';
import type { Runtime } from './runtime.ts';

/** A function's identity, from its environment: who it is, who may call it, what it signs with. */
export interface Settings {
  /** PLUGIN_FUNCTION: `name@stage`. */
  readonly functionName: string;
  /** PLUGIN_CALLERS: a JWK Set of the adapters' public keys. */
  readonly callers: KeyRing;
  /** PLUGIN_REPORTERS: a JWK Set of those who may report offenders; nobody when it is absent. */
  readonly reporters: KeyRing;
  /** PLUGIN_KEY: the function's own private key as JWK. */
  readonly key: SigningKey;
  /** The private part of that key, base64url: what plugins seal with is derived from it. */
  readonly secret: string;
  /** PLUGIN_URL: the address in the lock, where a proxy hides it from the function. */
  readonly publicUrl?: string;
  /**
   * CF_VERSION_METADATA, a binding of type version_metadata: the id of this Workers version, which answers are then
   * signed with instead of the build id.
   */
  readonly version?: string;
  /** Of the calls that were accepted under these settings. */
  readonly nonces: NonceMemory;
}

/**
 * Reads the settings out of a Worker's bindings or a process's environment.
 *
 * @throws PluginError CONFIG_INVALID or KEY_FILE_INVALID, naming the variable and never its value
 */
export async function readSettings(env: unknown, runtime: Runtime): Promise<Settings> {
  const functionName = text(env, 'PLUGIN_FUNCTION');
  if (!/^[a-z0-9][a-z0-9-]{0,62}@[a-z0-9][a-z0-9-]{0,62}$/.test(functionName)) {
    throw invalid('PLUGIN_FUNCTION', 'is not name@stage', 'Use the name in the lock, as office@live.');
  }
  const ringOf = async (name: string) => {
    const keys = parseJwks(json(env, name), `the setting ${name}`);
    return keyRing(await Promise.all(keys.map((jwk) => runtime.verifyingKey(jwk))));
  };
  const callers = await ringOf('PLUGIN_CALLERS');
  const key = parsePrivateJwk(json(env, 'PLUGIN_KEY'), 'the setting PLUGIN_KEY');
  const publicUrl = optionalUrl(env);
  const version = versionId(env);
  return {
    functionName,
    callers,
    reporters: variable(env, 'PLUGIN_REPORTERS') ? await ringOf('PLUGIN_REPORTERS') : keyRing([]),
    key: await runtime.signingKey(key),
    secret: key.d,
    ...(publicUrl === undefined ? {} : { publicUrl }),
    ...(version === undefined ? {} : { version }),
    nonces: new NonceMemory({ maxEntries: maxNonces }),
  };
}

function optionalUrl(env: unknown): string | undefined {
  const value = variable(env, 'PLUGIN_URL');
  if (value === undefined || value === '') return undefined;
  const address = typeof value === 'string' ? normaliseAddress(value) : { problem: 'expected text' };
  if ('href' in address) return address.href;
  throw invalid('PLUGIN_URL', `is no public address (${address.problem})`, 'Use the address in the lock.');
}

/** https://developers.cloudflare.com/workers/runtime-apis/bindings/version-metadata/ */
function versionId(env: unknown): string | undefined {
  const id = variable(variable(env, 'CF_VERSION_METADATA'), 'id');
  return typeof id === 'string' && /^[\w-]{1,64}$/.test(id) ? id : undefined;
}

function json(env: unknown, name: string): unknown {
  const value = text(env, name);
  try {
    return JSON.parse(value);
  } catch {
    // without its cause, whose message quotes the text: PLUGIN_KEY is a secret
    throw invalid(name, 'is not JSON', 'Paste the whole value, braces included.');
  }
}

function text(env: unknown, name: string): string {
  const value = variable(env, name);
  // a variable of type JSON arrives parsed in Workers
  if (typeof value === 'object' && value !== null) return JSON.stringify(value);
  if (typeof value === 'string' && value !== '') return value;
  throw invalid(name, 'is missing', 'Set it as a variable or secret of the function.');
}

function variable(env: unknown, name: string): unknown {
  return typeof env === 'object' && env !== null ? (env as Record<string, unknown>)[name] : undefined;
}

function invalid(name: string, what: string, remedy: string): PluginError {
  return new PluginError('CONFIG_INVALID', {
    happened: `the setting ${name} ${what}`,
    expected: 'PLUGIN_FUNCTION, PLUGIN_CALLERS and PLUGIN_KEY as the deployment writes them',
    remedy,
  });
}
