import { PluginError } from '../../../proto/error.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import type { Finding, Verifier } from '../../shapes.ts';

/**
 * Evidence of an https function: `claimed`. The signed plugin-version is the build id that the build wrote into
 * the bundle; it must be in the lock. This stops mistakes and stale deployments, not an intruder with deploy rights.
 *
 * `ask` fetches one signed answer's version for `audit`; it throws as invoke does.
 */
export function claimedVerifier(name: string, locked: LockedFunction): Verifier {
  const versions = locked.accepts.map(({ version }) => version);
  const known = new Set(versions);
  return {
    async pin() {
      return '';
    },
    accept(_pin, _answer, claimed) {
      if (claimed !== undefined && known.has(claimed)) return 'claimed';
      throw new PluginError('DRIFT', {
        happened: `${name} runs ${claimed === undefined ? 'a build without an id' : `build ${claimed}`}`,
        expected: `a build of the lock: ${versions.join(', ')}`,
        remedy: 'Deploy the locked bundle again, or take a lock that has this build.',
      });
    },
    async audit(): Promise<readonly Finding[]> {
      return [];
    },
  };
}
