import { PluginError } from '../../../proto/error.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import type { Probed } from '../../invoke/probe.ts';
import type { Verifier } from '../../shapes.ts';

/**
 * Evidence of an https function: `claimed`. The signed plugin-version is the build id that the build wrote into
 * the bundle; it must be in the lock. This stops mistakes and stale deployments, not an intruder with deploy rights.
 *
 * `probe` asks the function for its signed plugin-version; it throws as a call does.
 */
export function claimedVerifier(
  name: string,
  locked: LockedFunction,
  probe: (signal: AbortSignal) => Promise<Probed>,
): Verifier {
  const versions = locked.accepts.map(({ version }) => version);
  const expected = versions.join(' or ');
  const known = new Set(versions);
  return {
    async pin() {
      return '';
    },
    accept(_pin, _answer, claimed) {
      if (claimed !== undefined && known.has(claimed)) return 'claimed';
      throw new PluginError('DRIFT', {
        happened: `${name} runs ${claimed === undefined ? 'a build without an id' : `build ${claimed}`}`,
        expected: `a build of the lock: ${expected}`,
        remedy: 'Deploy the locked bundle again, or take a lock that has this build.',
      });
    },
    async audit(signal) {
      const found = (await probe(signal)).build ?? 'none';
      const ok = known.has(found);
      const row = { function: name, target: 'https', version: found, field: 'build id' } as const;
      return [{ ...row, expected, found, evidence: 'claimed', ok }];
    },
  };
}
