import { keyidOf, newPrivateKey } from '../../../adapter/cli/keys/files.ts';
import type { FoundVersion } from '../../../adapter/targets/worker/found.ts';
import type { PublicJwk } from '../../../proto/keys/jwk.ts';
import type { AcceptedVersion, LockedFunction } from '../../../proto/lock/schema.ts';

/** The variable by which a version names its key: a secret cannot be read back. */
export const keyIdVariable = 'PLUGIN_KEY_ID';

/** Which key the next version signs with. */
export interface WorkerKey {
  /** RFC 7638 thumbprint. */
  readonly keyid: string;
  /** What the lock must list: this key, and those of versions that it accepts already. */
  readonly keys: readonly PublicJwk[];
  /** The private JWK as text, of a key that was made now and has to go with the upload; absent: it is there. */
  readonly secret?: string;
}

/**
 * The key of the lock if the newest version of the Worker has it, since a version takes over the secrets of the one
 * before; else a new one, made in memory. It goes to Cloudflare through wrangler's stdin and nowhere else: a run that
 * ends before the lock is written loses it, and the next one makes another.
 *
 * `locked`: undefined also when the lock has the function in another Worker.
 */
export async function keyFor(
  locked: LockedFunction | undefined,
  newest: FoundVersion | undefined,
): Promise<WorkerKey> {
  const known = (locked?.keys ?? []).map(({ kty, crv, x }): PublicJwk => ({ kty, crv, x }));
  const placed = keyIdOf(newest);
  for (const key of known) {
    const keyid = await keyidOf(key);
    if (keyid === placed) return { keyid, keys: known };
  }
  const { d, ...made } = newPrivateKey();
  return { keyid: await keyidOf(made), keys: [...known, made], secret: JSON.stringify({ ...made, d }) };
}

/** Which keys of an entry a version signs with: the one that it names. All of them, if it names none of them. */
export async function keysOfVersion(
  { keys }: LockedFunction,
  { config }: AcceptedVersion,
): Promise<LockedFunction['keys']> {
  const { text } = Object(config[`binding.${keyIdVariable}`]);
  const keyids = await Promise.all(keys.map(keyidOf));
  const own = keys.filter((_, index) => keyids[index] === text);
  return own.length === 0 ? keys : own;
}

/** The thumbprint that a version names; undefined without one, or without the secret itself. */
export function keyIdOf(version: FoundVersion | undefined): string | undefined {
  const of = (name: string, type: string) =>
    version?.bindings?.find((binding) => binding.name === name && binding.type === type);
  const text = of(keyIdVariable, 'plain_text')?.['text'];
  return typeof text === 'string' && of('PLUGIN_KEY', 'secret_text') !== undefined ? text : undefined;
}
