import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';

/**
 * Bundles the package's command (`npx sftpgo-plugin-serverless`): with its libraries inside, so that installing
 * the kit installs only what functions import. esbuild itself comes from the author's project: load-esbuild.ts.
 */
export async function buildCli(root: string, outFile: string): Promise<Metafile> {
  const { metafile } = await build({
    metafile: true,
    entryPoints: [join(root, 'infra/cli/main.ts')],
    absWorkingDir: root,
    outfile: outFile,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    minify: true,
    legalComments: 'none',
    mainFields: ['module', 'main'],
    logLevel: 'warning',
    banner: {
      js: "#!/usr/bin/env node\nimport{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
    },
  });
  await chmod(outFile, 0o755);
  return metafile;
}
