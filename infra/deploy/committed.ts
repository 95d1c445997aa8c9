import { PluginError } from '../../proto/error.ts';
import { readManifest } from '../build/manifest.ts';
import { listed, provenanceOf } from '../build/uncommitted.ts';
import type { ProjectFunction } from './project.ts';

const nevertheless = 'To deploy it nevertheless: --allow-dirty.';

/**
 * What keeps anybody from building again, from the commit, what is about to be deployed; undefined: nothing, or the
 * project is in no git repository. Looks at the modules behind the builds in `outDir`, and at the files that decide what
 * becomes of them: package.json, package-lock.json, serverless.yml, wrangler's configurations.
 *
 * Throws INPUT_INVALID when a build is missing.
 */
export async function notFromCommit(
  functions: readonly ProjectFunction[],
  outDir: string,
): Promise<PluginError | undefined> {
  const manifests = await Promise.all(functions.map(({ name }) => readManifest(outDir, name)));
  const configs = functions.flatMap(({ config }) => config ?? []);
  const settings = ['serverless.yml', 'serverless.yaml', ...configs];
  const { uncommitted, changed, unknown } = await provenanceOf(outDir, manifests, settings);
  if (uncommitted.length > 0) {
    return new PluginError('INPUT_INVALID', {
      happened: `not as committed: ${listed(uncommitted)}`,
      expected: 'to deploy what everybody can build again from the commit',
      remedy: `Commit it, build again, and deploy. ${nevertheless}`,
    });
  }
  if (changed.length > 0) {
    return new PluginError('INPUT_INVALID', {
      happened: `other than what was built: ${listed(changed)}`,
      expected: 'to deploy bundles of what is committed',
      remedy: `Build again, and deploy. ${nevertheless}`,
    });
  }
  if (unknown.length === 0) return undefined;
  return new PluginError('INPUT_INVALID', {
    happened: `nobody knows what they were made from: ${listed(unknown)}`,
    expected: 'the source map (.map) of `build` beside each bundle, which lists that',
    remedy: `Build again, and deploy. ${nevertheless}`,
  });
}
