import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Metafile } from 'esbuild';
import * as z from 'zod';

const packageJson = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string().default('unknown'),
});

/** Folders of the packages that left bytes in an output. */
function packageFolders(metafiles: readonly Metafile[]): ReadonlySet<string> {
  const inputs = metafiles.flatMap(({ outputs }) =>
    Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs)),
  );
  const folders = inputs.flatMap(([path, { bytesInOutput }]) => {
    const folder = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
    return folder === undefined || bytesInOutput === 0 ? [] : [folder];
  });
  return new Set(folders);
}

/**
 * Writes the licences of other people's packages in our bundles into one file, as those licences ask for.
 *
 * Takes the folder that the metafiles' paths are relative to, the metafiles, and the file to write.
 */
export async function writeLicenses(
  root: string,
  metafiles: readonly Metafile[],
  outFile: string,
): Promise<void> {
  const texts: string[] = [];
  for (const folder of [...packageFolders(metafiles)].sort()) {
    const place = resolve(root, folder);
    const { name, version, license } = packageJson.parse(
      JSON.parse(await readFile(join(place, 'package.json'), 'utf8')),
    );
    const file = (await readdir(place)).sort().find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? '' : await readFile(join(place, file), 'utf8');
    texts.push(`${name} ${version} (${license})\n\n${text.trim()}\n`);
  }
  const line = `\n${'-'.repeat(80)}\n\n`;
  await writeFile(
    outFile,
    `Packages in the executable and the command of this package.\n${line}${texts.join(line)}`,
  );
}
