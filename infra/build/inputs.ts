import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Metafile } from 'esbuild';
import * as z from 'zod';

const packageJson = z.object({ name: z.string(), version: z.string() });

/**
 * The packages of other people that went into a bundle, as `name@version` to SHA-256. The digest is over the
 * files that left bytes in the bundle, sorted by path: their path in the package and their SHA-256. Where one version
 * is installed more than once and the copies differ, it is over the digests of all of them.
 *
 * @param workingDir what the metafile's paths are relative to
 */
export function inputsOf(metafile: Metafile, workingDir: string): Readonly<Record<string, string>> {
  const digests = new Map<string, Set<string>>();
  for (const [folder, files] of packageFolders(metafile)) {
    const root = resolve(workingDir, folder);
    const { name, version } = packageJson.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
    const copies = digests.get(`${name}@${version}`) ?? new Set();
    digests.set(`${name}@${version}`, copies.add(digestOf(root, files)));
  }
  const inputs = [...digests].map(([input, copies]): [string, string] => [input, overAll([...copies])]);
  return Object.fromEntries(inputs.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The folders of packages, and which of their files left bytes in the bundle. */
function packageFolders(metafile: Metafile): ReadonlyMap<string, readonly string[]> {
  const folders = new Map<string, string[]>();
  for (const output of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
      const [, folder, inside] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\/(.+)$/.exec(path) ?? [];
      if (folder === undefined || inside === undefined || bytesInOutput === 0) continue;
      const files = folders.get(folder) ?? [];
      folders.set(folder, files);
      files.push(inside);
    }
  }
  return folders;
}

function digestOf(root: string, files: readonly string[]): string {
  const lines = [...new Set(files)]
    .sort()
    .map((file) => `${file}\0${sha256(readFileSync(join(root, file)))}\n`);
  return sha256(lines.join(''));
}

/** Where the copies lie is the installer's matter, and no part of it. */
function overAll(digests: readonly string[]): string {
  const [only, ...others] = digests;
  return only !== undefined && others.length === 0 ? only : sha256([...digests].sort().join('\n'));
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
