import { PluginError } from '../../proto/error.ts';
import type { LockedFunction } from '../../proto/lock/schema.ts';
import type { KeyRing } from '../../proto/signature/port.ts';
import type { Log } from '../invoke/connection.ts';
import type { Probed } from '../invoke/probe.ts';
import type { Target, Verifier } from '../shapes.ts';
import { claimedVerifier } from './https/evidence.ts';
import { httpsTarget } from './https/index.ts';
import type { KnownVersions } from './known-versions.ts';
import { isConfigLocked } from './lambda/compare.ts';
import { openLambda } from './lambda/index.ts';
import type { AwsSettings } from './lambda/settings.ts';
import { type LocalOptions, openLocal } from './local/index.ts';

/** What a check of deployments needs besides its own section of the configuration. */
export interface Watching {
  /** What was verified before, over restarts. */
  readonly known: KnownVersions;
  readonly log: Log;
  /** Told when a look finds other code or configuration than the lock's, and, with undefined, when all is in order. */
  readonly report: (drift: PluginError | undefined) => void;
}

/**
 * The way to a locked function, the check of what runs there, in words how much that check proves, and, where the
 * lock has none, the keys that sign its answers. Throws LOCK_INVALID for a target that this release cannot call.
 */
export function openTarget(
  name: string,
  locked: LockedFunction,
  options: Watching & {
    caPem: string | undefined;
    aws: AwsSettings;
    local: LocalOptions;
    probe: (signal: AbortSignal) => Promise<Probed>;
  },
): { target: Target; verifier: Verifier; proof: string; ownKeys?: KeyRing } {
  switch (locked.target) {
    case 'https':
      return {
        target: httpsTarget(locked.address, { caPem: options.caPem }),
        verifier: claimedVerifier(name, locked, options.probe),
        proof: 'claimed: the function signs its build id; nobody looks at what is deployed',
      };
    case 'lambda':
      return {
        ...openLambda(name, locked, options),
        proof: `platform: AWS names the version that ran, and its code ${
          locked.accepts.every(isConfigLocked)
            ? 'and configuration are the locked ones'
            : 'is the locked one; the lock says nothing of its configuration'
        }`,
      };
    case 'local':
      return {
        ...openLocal(name, locked, options.local),
        proof: 'platform: the adapter runs the very bytes that it hashed, in a thread of its own',
      };
    default:
      throw new PluginError('LOCK_INVALID', {
        happened: `${name} is deployed to ${locked.target}`,
        expected: 'a target that this release of the adapter can call: lambda, https, local',
        remedy: 'Update the adapter, or deploy the function behind an https address.',
      });
  }
}
