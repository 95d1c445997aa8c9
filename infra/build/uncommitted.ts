import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { BuildManifest } from './manifest.ts';
import { isAsBuilt, type Source, sourcesOf } from './sources.ts';

/** They decide which packages a bundle gets. */
const packageFiles = ['package.json', 'package-lock.json'];

/** How far the repository has what a build was made from; each list has paths relative to the current directory. */
export interface Provenance {
  /** Files that git does not have as they are: changed, new or ignored. */
  readonly uncommitted: readonly string[];
  /** Files that are not as the build read them, or gone. */
  readonly changed: readonly string[];
  /** Bundles of which nobody knows what they were made from: without their source map. */
  readonly unknown: readonly string[];
}

const nothing: Provenance = { uncommitted: [], changed: [], unknown: [] };

/**
 * Can the builds of a folder be made again from the repository? What is not in it, `build` names, and `deploy` refuses.
 *
 * Takes the folder with the artifacts and their source maps, their manifests, and further files that count; looks at no
 * package of others. Finds nothing where there is no git.
 */
export async function provenanceOf(
  folder: string,
  manifests: readonly BuildManifest[],
  further: readonly string[] = [],
): Promise<Provenance> {
  const top = await git(process.cwd(), ['rev-parse', '--show-toplevel']).catch(() => undefined);
  if (top === undefined) return nothing;
  const root = await realpath(top.trim());
  const isInside = (file: string) => !relative(root, file).startsWith('..');
  const bundles = manifests.flatMap(({ artifacts }) => artifacts.map(({ file }) => join(folder, file)));
  const found = await Promise.all(bundles.map(async (bundle) => await sourcesOf(bundle)));
  const sources = found.flatMap((list) => list ?? []).filter(({ file }) => isInside(file));
  const settings = [...packageFiles, ...further].map((name) => resolve(name)).filter(isInside);
  return {
    uncommitted: await uncommitted(root, [...sources.map(({ file }) => file), ...settings]),
    changed: await changed(sources),
    unknown: bundles.filter((_, index) => found[index] === undefined).map(shown),
  };
}

/** Paths for a message: the first ten. */
export function listed(paths: readonly string[]): string {
  return paths.slice(0, 10).join(', ') + (paths.length > 10 ? ` and ${paths.length - 10} more` : '');
}

async function uncommitted(root: string, all: readonly string[]): Promise<string[]> {
  const files = [...new Set(all)].filter((file) => existsSync(file));
  if (files.length === 0) return [];
  const pathspecs = files.map((file) => `:(literal)${relative(root, file)}`);
  const status = await git(root, [
    'status',
    '--porcelain',
    // whatever the user's configuration says
    '--untracked-files=all',
    '-z',
    '--no-renames',
    '--ignored',
    '--',
    ...pathspecs,
  ]);
  // each entry: two letters of state, a space, the path from the top
  const paths = status.split('\0').filter((entry) => entry !== '');
  return [...new Set(paths.map((entry) => shown(join(root, entry.slice(3)))))].sort();
}

async function changed(sources: readonly Source[]): Promise<string[]> {
  const files = await Promise.all(
    sources.map(async (source) => ((await isAsBuilt(source)) ? [] : [shown(source.file)])),
  );
  return [...new Set(files.flat())].sort();
}

function shown(file: string): string {
  return relative('', file);
}

async function git(folder: string, args: readonly string[]): Promise<string> {
  // what a status refreshes on the way is no business of a build
  const { stdout } = await promisify(execFile)('git', ['--no-optional-locks', ...args], {
    cwd: folder,
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout;
}
