import { basename } from 'node:path';
import { PluginError } from '../../../proto/error.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import type { Verifier } from '../../shapes.ts';
import { expectedDigests, readBundle } from './bundle.ts';

/**
 * Evidence of a local function: `platform`. The adapter itself hashed the bytes, found them in the lock, and runs
 * those bytes: `executed` of an answer is the lock's version that they belong to.
 */
export function localVerifier(name: string, locked: LockedFunction, file: string): Verifier {
  const versions = new Set(locked.accepts.map(({ version }) => version));
  return {
    async pin() {
      return '';
    },
    accept(_pin, { executed }) {
      if (executed !== undefined && versions.has(executed)) return 'platform';
      throw new PluginError('DRIFT', {
        happened: `${name} runs ${executed ?? 'an unknown version'}`,
        expected: `a version of the lock: ${[...versions].join(' or ')}`,
        remedy: 'Restart the plugin: what runs is not what the lock in force says.',
      });
    },
    async audit() {
      const { sha256, accepted } = await readBundle(name, locked, file);
      return [
        {
          function: name,
          target: 'local',
          version: accepted?.version ?? 'none',
          field: `SHA-256 of ${basename(file)}`,
          expected: expectedDigests(locked, file),
          found: sha256,
          evidence: 'platform',
          ok: accepted !== undefined,
        },
      ];
    },
  };
}
