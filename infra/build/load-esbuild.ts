import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PluginError } from '../../proto/error.ts';

/**
 * The esbuild of the author's project, looked up from `folder` as Node does: only `build` needs it, so the package
 * does not install it.
 *
 * @throws PluginError TOOL_MISSING
 */
export function loadEsbuild(folder: string): typeof import('esbuild') {
  const fromProject = createRequire(join(folder, 'package.json'));
  try {
    fromProject.resolve('esbuild');
  } catch (cause) {
    throw new PluginError('TOOL_MISSING', {
      happened: `esbuild is not installed in ${folder}`,
      expected: 'the bundler in the devDependencies of the project',
      remedy: 'Run: npm i -D esbuild',
      cause,
    });
  }
  return fromProject('esbuild');
}
