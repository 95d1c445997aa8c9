import { canonical } from '../../adapter/targets/worker/configuration.ts';
import { thumbprint } from '../../proto/keys/thumbprint.ts';
import type { AcceptedVersion, LockedFunction } from '../../proto/lock/schema.ts';
import { nodeCrypto } from '../../proto/signature/node.ts';

/** A text of a lock for a terminal: a lock whose seal is not checked may hold anything. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A digest, or a version that is one, by its first 12 characters, of which nobody reads more. */
export function short(text: string): string {
  return printable(text).replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, '$1…');
}

/** A value of a version's `config`. */
export function valueText(value: AcceptedVersion['config'][string]): string {
  return canonical(value);
}

/** keyids of the keys that may sign a function's answers. */
export async function keyidsOf({ keys }: LockedFunction): Promise<string[]> {
  return await Promise.all(keys.map(({ kty, crv, x }) => thumbprint({ kty, crv, x }, nodeCrypto)));
}

/** `package@version`, apart. */
export function splitInput(input: string): { readonly name: string; readonly version: string } {
  const at = input.lastIndexOf('@');
  return at > 0 ? { name: input.slice(0, at), version: input.slice(at + 1) } : { name: input, version: '' };
}
