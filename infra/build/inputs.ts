import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Metafile } from 'esbuild';
import * as z from 'zod';

const packageJson = z.object({ name: z.string(), version: z.string() });

/**
 * The packages of other people that went into a bundle, as `name@version` to SHA-256. The digest is over the
 * files that left bytes in the bundle, sorted by path: their path in the package and their SHA-256.
 *
 * @param workingDir what the metafile's paths are relative to
 */
export function inputsOf(metafile: Metafile, workingDir: string): Readonly<Record<string, string>> {
  const files = new Map<string, string[]>();
  for (const output of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
      const [, folder, inside] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\/(.+)$/.exec(path) ?? [];
      if (folder === undefined || inside === undefined || bytesInOutput === 0) continue;
      const list = files.get(folder) ?? [];
      files.set(folder, list);
      list.push(inside);
    }
  }
  const inputs = [...files].map(([folder, inside]): [string, string] => {
    const root = resolve(workingDir, folder);
    const { name, version } = packageJson.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
    const digest = createHash('sha256');
    for (const file of [...new Set(inside)].sort()) {
      digest.update(
        `${file}\0${createHash('sha256')
          .update(readFileSync(join(root, file)))
          .digest('hex')}\n`,
      );
    }
    return [`${name}@${version}`, digest.digest('hex')];
  });
  return Object.fromEntries(inputs.sort(([a], [b]) => (a < b ? -1 : 1)));
}
