import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import type { BuildManifest } from './manifest.ts';

const sourceMap = z.object({ sources: z.array(z.string()) });

/** They decide which packages a bundle gets. */
const packageFiles = ['package.json', 'package-lock.json'];

/**
 * The files behind a build that git does not have as they are: changed, new or ignored. Such a build cannot be made
 * again from the repository, so `build` and `deploy` name them.
 *
 * Takes the folder with the artifacts and their source maps, and the manifest; looks at no package of others. Returns
 * paths relative to the current directory; none where there is no git.
 */
export async function uncommittedSources(folder: string, manifest: BuildManifest): Promise<string[]> {
  const sources = await Promise.all(manifest.artifacts.map(({ file }) => sourcesOf(join(folder, file))));
  const files = [...new Set([...sources.flat(), ...packageFiles.map((name) => resolve(name))])];
  const top = await git(process.cwd(), ['rev-parse', '--show-toplevel']).catch(() => undefined);
  if (top === undefined) return [];
  const root = await realpath(top.trim());
  const inside = files.filter((file) => existsSync(file) && !relative(root, file).startsWith('..'));
  if (inside.length === 0) return [];
  const pathspecs = inside.map((file) => `:(literal)${relative(root, file)}`);
  const status = await git(root, [
    'status',
    '--porcelain',
    '-z',
    '--no-renames',
    '--ignored',
    '--',
    ...pathspecs,
  ]);
  // each entry: two letters of state, a space, the path from the top
  const paths = status.split('\0').filter((entry) => entry !== '');
  return paths.map((entry) => relative('', join(root, entry.slice(3)))).sort();
}

/** The author's modules in a bundle, by its source map. */
async function sourcesOf(bundle: string): Promise<string[]> {
  const text = await readFile(`${bundle}.map`, 'utf8').catch(() => undefined);
  if (text === undefined) return [];
  const { sources } = sourceMap.parse(JSON.parse(text));
  const files = sources.map((source) => resolve(dirname(bundle), source)).filter((file) => existsSync(file));
  const real = await Promise.all(files.map(async (file) => await realpath(file)));
  return real.filter((file) => !file.includes('/node_modules/'));
}

async function git(folder: string, args: readonly string[]): Promise<string> {
  // what a status refreshes on the way is no business of a build
  const { stdout } = await promisify(execFile)('git', ['--no-optional-locks', ...args], {
    cwd: folder,
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout;
}
