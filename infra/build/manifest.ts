import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as z from 'zod';
import { PluginError } from '../../proto/error.ts';
import type { AcceptedVersion } from '../../proto/lock/schema.ts';
import { checkArtifacts } from './check-artifacts.ts';
import { type BuiltFunction, buildTargets } from './function.ts';

const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/);

const manifestSchema = z.object({
  name: z.string(),
  type: z.enum(['auth', 'kms', 'notifier', 'metadata', 'ipfilter', 'eventsearcher']),
  handles: z.array(z.string()),
  artifacts: z.array(
    z.object({
      // a bare name: a manifest names no file outside its folder
      file: z.string().regex(/^[^/\\]+$/),
      runtime: z.enum(buildTargets),
      sha256: sha256Hex,
      buildId: z.string(),
      inputs: z.record(z.string(), z.string()),
    }),
  ),
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
    artifacts: artifacts.map(({ file, runtime, sha256, buildId, inputs }) => ({
      file: basename(file),
      runtime,
      sha256,
      buildId,
      inputs: { ...inputs },
    })),
    inputs: { ...inputs },
  };
}

/** Writes the manifest of a build into its folder. */
export async function writeManifest(folder: string, manifest: BuildManifest): Promise<void> {
  const text = `${JSON.stringify(manifestSchema.parse(manifest), undefined, 2)}\n`;
  await writeFile(manifestPath(folder, manifest.name), text);
}

/**
 * Reads the manifest of a build, and its bundles: {@link checkArtifacts}. Throws INPUT_INVALID when there is none, or a
 * bundle is not the one that was built.
 */
export async function readManifest(folder: string, name: string): Promise<BuildManifest> {
  const manifest = await parseManifest(folder, name);
  await checkArtifacts(folder, manifest);
  return manifest;
}

async function parseManifest(folder: string, name: string): Promise<BuildManifest> {
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

/** The versions of an https function that a lock accepts: each Worker and Node bundle is one, by its build id. */
export function acceptedBuilds(manifest: BuildManifest): AcceptedVersion[] {
  return manifest.artifacts
    .filter(({ runtime }) => runtime !== 'lambda')
    .map(({ file, sha256, buildId, inputs }) => ({
      version: buildId,
      files: { [file]: sha256 },
      config: {},
      inputs,
    }));
}

/**
 * The Worker bundle as a lock accepts it for `local`: the adapter runs it in a thread.
 *
 * Takes the name of the file on the host, which may differ. Throws INPUT_INVALID when the build made no such bundle.
 */
export function acceptedLocal(manifest: BuildManifest, fileName: string): AcceptedVersion {
  const bundle = manifest.artifacts.find(({ runtime }) => runtime === 'worker');
  if (bundle !== undefined) {
    const { buildId, sha256, inputs } = bundle;
    return { version: buildId, files: { [fileName]: sha256 }, config: {}, inputs };
  }
  throw new PluginError('INPUT_INVALID', {
    happened: `the build of ${manifest.name} has no bundle for Workers`,
    expected: `${manifest.name}.worker.mjs, which local functions run as well`,
    remedy: 'Build it for Workers as well: build --targets worker FILE.',
  });
}

/**
 * A published version of a Lambda function as a lock accepts it.
 *
 * Takes its number as AWS gave it: `7`. Throws INPUT_INVALID when the build made no zip for Lambda.
 */
export function acceptedLambda(manifest: BuildManifest, version: string): AcceptedVersion {
  const zip = manifest.artifacts.find(({ runtime }) => runtime === 'lambda');
  if (zip !== undefined) {
    return { version, files: { [zip.file]: zip.sha256 }, config: {}, inputs: zip.inputs };
  }
  throw new PluginError('INPUT_INVALID', {
    happened: `the build of ${manifest.name} has no zip for Lambda`,
    expected: `${manifest.name}.lambda.zip`,
    remedy: 'Build it for Lambda as well: build --targets lambda,node FILE.',
  });
}
