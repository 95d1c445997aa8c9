import { resolve } from 'node:path';
import type { PublicJwk } from '../../../proto/keys/jwk.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import type { KeyRing } from '../../../proto/signature/port.ts';
import type { Log } from '../../invoke/connection.ts';
import type { Target, Verifier } from '../../shapes.ts';
import { localVerifier } from './evidence.ts';
import { localTarget } from './send.ts';

export interface LocalOptions {
  /** Addresses in the lock are relative to it: the folder of the configuration. */
  readonly folder: string;
  /** The adapter's public key: the one caller of the function. */
  readonly caller: PublicJwk;
  /** The `local` key of the configuration; absent: its defaults. */
  readonly config: { readonly memory: number } | undefined;
  readonly log: Log;
  /** How long a thread that missed a deadline may say nothing before it is ended, in ms; 3 s when absent. */
  readonly silenceMs?: number;
}

/**
 * A function that runs in a thread of the adapter's own process, from the bytes that were hashed. Crash isolation, not
 * a sandbox: docs/local.md.
 */
export function openLocal(
  name: string,
  locked: LockedFunction,
  options: LocalOptions,
): { target: Target; verifier: Verifier; ownKeys: KeyRing } {
  const file = resolve(options.folder, locked.address);
  return {
    ...localTarget(name, locked, file, options),
    verifier: localVerifier(name, locked, file),
  };
}
