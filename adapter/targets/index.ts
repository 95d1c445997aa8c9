import { PluginError } from '../../proto/error.ts';
import type { LockedFunction } from '../../proto/lock/schema.ts';
import type { Probed } from '../invoke/probe.ts';
import type { Target, Verifier } from '../shapes.ts';
import { claimedVerifier } from './https/evidence.ts';
import { httpsTarget } from './https/index.ts';

/**
 * The way to a locked function, the check of what runs there, and in words how much that check proves. Throws LOCK_INVALID for a target that this
 * release cannot call.
 */
export function openTarget(
  name: string,
  locked: LockedFunction,
  options: { caPem: string | undefined; probe: (signal: AbortSignal) => Promise<Probed> },
): { target: Target; verifier: Verifier; proof: string } {
  switch (locked.target) {
    case 'https':
      return {
        target: httpsTarget(locked.address, { caPem: options.caPem }),
        verifier: claimedVerifier(name, locked, options.probe),
        proof: 'claimed: the function signs its build id; nobody looks at what is deployed',
      };
    default:
      throw new PluginError('LOCK_INVALID', {
        happened: `${name} is deployed to ${locked.target}`,
        expected: 'a target that this release of the adapter can call: https',
        remedy: 'Update the adapter, or deploy the function behind an https address.',
      });
  }
}
