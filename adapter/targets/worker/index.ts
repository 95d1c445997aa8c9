import { PluginError } from '../../../proto/error.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import type { Probed } from '../../invoke/probe.ts';
import type { Target, Verifier } from '../../shapes.ts';
import { httpsTarget } from '../https/index.ts';
import type { Watching } from '../index.ts';
import { workerApi } from './api.ts';
import { workerVerifier } from './evidence.ts';
import type { CloudflareSettings } from './settings.ts';
import { versionUrls } from './version-url.ts';

export interface WorkerOptions extends Watching {
  readonly caPem: string | undefined;
  /** undefined: nobody looks at what is deployed. */
  readonly cloudflare: CloudflareSettings | undefined;
  /** `version-url`: call the address of the last version in the lock. */
  readonly pin: 'version-url' | undefined;
  readonly probe: (signal: AbortSignal) => Promise<Probed>;
}

/**
 * A function on Cloudflare Workers, called over HTTPS, and the check of what runs there.
 *
 * Takes `name@stage` and the function's entry in the lock. Throws LOCK_INVALID for an address or entry that cannot
 * be used, CONFIG_INVALID for a `pin` that this Worker cannot have.
 */
export function openWorker(
  name: string,
  locked: LockedFunction,
  options: WorkerOptions,
): { target: Target; verifier: Verifier; proof: string } {
  const { cloudflare, pin } = options;
  const target = httpsTarget(locked.address, { caPem: options.caPem });
  const origin = pin === undefined ? target.origin : versionUrls(name, locked, target.origin(''));
  const api = cloudflare && workerApi(cloudflare, workerName(name, locked), name);
  return {
    target: { ...target, origin },
    verifier: workerVerifier(name, locked, {
      ...options,
      api,
      watchMs: cloudflare?.watchMs,
      byVersionUrl: pin !== undefined,
    }),
    proof: proofs[pin === undefined ? 'deployment' : 'version'][api === undefined ? 'blind' : 'observed'],
  };
}

const proofs = {
  deployment: {
    observed:
      'observed: every version that takes traffic is compared with the lock at each look; in between, other code can answer',
    blind:
      'claimed: the function signs its version id; without `cloudflare` nobody looks at what is deployed',
  },
  version: {
    observed: 'platform: Cloudflare serves one version at this address, and it was compared with the lock',
    blind:
      'platform: Cloudflare serves one version at this address, and it was compared when the lock was made; without `cloudflare` nobody compares it again',
  },
} as const;

/** The Worker's name at Cloudflare: the same in every entry, for the versions are of one Worker. */
function workerName(name: string, { accepts }: LockedFunction): string {
  const names = new Set(accepts.map(({ config }) => config['worker']));
  const [worker, ...others] = names;
  if (typeof worker === 'string' && worker !== '' && others.length === 0) return worker;
  throw new PluginError('LOCK_INVALID', {
    happened: `the lock does not say which Worker ${name} is`,
    expected: 'the same name as `worker` in the config of each version, as `deploy` writes it',
    remedy:
      'Deploy it again, or remove `cloudflare` from the configuration: then its versions are only claimed.',
  });
}
