import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import type { Metafile } from 'esbuild';
import * as z from 'zod';

/** One of the author's files that went into a bundle. */
export interface Source {
  /** Absolute; without symbolic links where it is still there. */
  readonly file: string;
  /** SHA-256 (hex) of it as it was built. */
  readonly sha256: string;
}

/** A field of the source map: the map lies beside the bundle, and is deployed nowhere. */
const field = 'x_sftpgo_sources';
const sourceMap = z.object({ [field]: z.record(z.string(), z.string()) });

/**
 * A source map with a list of the author's files behind the bundle. esbuild's own list lacks those of which no code is
 * left, as a module with a constant that was put in place, and those that are no code, as a database.
 *
 * @param mapFile where the map will be
 * @param workingDir what the metafile's paths are relative to
 */
export async function withSources(
  map: string,
  metafile: Metafile,
  { mapFile, workingDir }: { readonly mapFile: string; readonly workingDir: string },
): Promise<string> {
  const files = Object.keys(metafile.inputs)
    .map((path) => resolve(workingDir, path))
    // a package of somebody else is in the manifest; what has no file was made by the build
    .filter((file) => !file.includes('/node_modules/') && existsSync(file));
  const entries = await Promise.all(
    files.map(async (file) => [relative(dirname(mapFile), file), await digestOf(file)] as const),
  );
  const sources = Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify({ ...JSON.parse(map), [field]: sources });
}

/** What {@link withSources} listed for a bundle; undefined when its map is missing, or is of an older release. */
export async function sourcesOf(bundle: string): Promise<readonly Source[] | undefined> {
  const text = await readFile(`${bundle}.map`, 'utf8').catch(() => undefined);
  const map = text === undefined ? undefined : sourceMap.safeParse(JSON.parse(text)).data;
  if (map === undefined) return undefined;
  const listed = Object.entries(map[field]).map(async ([path, sha256]): Promise<Source> => {
    const file = resolve(dirname(bundle), path);
    return { file: existsSync(file) ? await realpath(file) : file, sha256 };
  });
  return await Promise.all(listed);
}

/** Is a file still what the bundle was made from? */
export async function isAsBuilt({ file, sha256 }: Source): Promise<boolean> {
  return existsSync(file) && (await digestOf(file)) === sha256;
}

async function digestOf(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}
