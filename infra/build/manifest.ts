import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as z from 'zod';
import { PluginError } from '../../proto/error.ts';
import type { AcceptedVersion } from '../../proto/lock/schema.ts';
import type { BuiltFunction } from './function.ts';

const manifestSchema = z.object({
  name: z.string(),
  type: z.enum(['auth', 'kms', 'notifier', 'metadata', 'ipfilter', 'eventsearcher']),
  handles: z.array(z.string()),
  artifacts: z.array(z.object({ file: z.string(), sha256: z.string(), buildId: z.string() })),
  inputs: z.record(z.string(), z.string()),
});

/** What a build made of one function: `NAME.build.json` beside the bundles, read when the lock is written. */
export type BuildManifest = z.infer<typeof manifestSchema>;

function manifestPath(folder: string, name: string): string {
  return join(folder, `${name}.build.json`);
}

/** The manifest of what was built under a name. */
export function manifestOf(name: string, built: BuiltFunction): BuildManifest {
  const { type, handles, artifacts, inputs } = built;
  return {
    name,
    type,
    handles: [...handles],
    artifacts: artifacts.map(({ file, sha256, buildId }) => ({ file: basename(file), sha256, buildId })),
    inputs: { ...inputs },
  };
}

/** Writes the manifest of a build into its folder. */
export async function writeManifest(folder: string, manifest: BuildManifest): Promise<void> {
  const text = `${JSON.stringify(manifestSchema.parse(manifest), undefined, 2)}\n`;
  await writeFile(manifestPath(folder, manifest.name), text);
}

/** Reads the manifest of a build. Throws INPUT_INVALID when there is none. */
export async function readManifest(folder: string, name: string): Promise<BuildManifest> {
  try {
    return manifestSchema.parse(JSON.parse(await readFile(manifestPath(folder, name), 'utf8')));
  } catch (cause) {
    throw new PluginError('INPUT_INVALID', {
      happened: `${manifestPath(folder, name)} is no build of ${name}`,
      expected: 'what `build` writes',
      remedy: `Run: npx sftpgo-plugin-serverless build ${name}.ts`,
      cause,
    });
  }
}

/** The versions of an https function that a lock accepts: each artifact is one, by its build id. */
export function acceptedBuilds(manifest: BuildManifest): AcceptedVersion[] {
  return manifest.artifacts.map(({ file, sha256, buildId }) => ({
    version: buildId,
    files: { [file]: sha256 },
    config: {},
    inputs: manifest.inputs,
  }));
}
