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
import { openWorker } from './worker/index.ts';
import type { CloudflareSettings } from './worker/settings.ts';

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
 * lock has none, the keys that sign its answers. Throws LOCK_INVALID for an entry that cannot be used, CONFIG_INVALID
 * for a `pin` that this function cannot have.
 */
export function openTarget(
  name: string,
  locked: LockedFunction,
  options: Watching & {
    caPem: string | undefined;
    aws: AwsSettings;
    local: LocalOptions;
    cloudflare: CloudflareSettings | undefined;
    pin: 'version-url' | undefined;
    probe: (signal: AbortSignal) => Promise<Probed>;
  },
): { target: Target; verifier: Verifier; proof: string; ownKeys?: KeyRing } {
  if (options.pin !== undefined && locked.target !== 'worker') {
    throw new PluginError('CONFIG_INVALID', {
      happened: `${name} is deployed to ${locked.target}, which \`pin: version-url\` is not for`,
      expected: '`pin` in the section of a function on Cloudflare Workers alone',
      remedy: 'Remove `pin` from the section.',
    });
  }
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
    case 'worker':
      return openWorker(name, locked, options);
  }
}
