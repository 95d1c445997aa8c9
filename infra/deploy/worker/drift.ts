import { PluginError } from '../../../proto/error.ts';
import type { Difference } from './compare.ts';

/** DRIFT: a version that Cloudflare has is not the one that was uploaded or locked. Names one field. */
export function driftOf(id: string, version: string, { field, expected, found }: Difference): PluginError {
  return new PluginError('DRIFT', {
    happened: `${id}: ${field} of version ${version} is ${found}`,
    expected,
    remedy:
      'Look who else deploys this Worker and whether a setting was made in the dashboard; undo it, and deploy again.',
  });
}
