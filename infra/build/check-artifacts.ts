import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { PluginError } from '../../proto/error.ts';
import type { BuildManifest } from './manifest.ts';

/** Lambda's limit for an unzipped function (docs.aws.amazon.com/lambda, "Lambda quotas"); Workers take less. */
const maxArtifactBytes = 250 * 1024 * 1024;

/**
 * Are the bundles in a build's folder the ones that its manifest names? Each is read and hashed again, so that
 * nothing is locked or deployed that was changed, cut off or replaced since `build`.
 *
 * Throws INPUT_INVALID with the file, the digest that was expected and the one that was found.
 */
export async function checkArtifacts(folder: string, manifest: BuildManifest): Promise<void> {
  for (const { file, sha256 } of manifest.artifacts) {
    const path = join(folder, file);
    const found = await digestOf(path);
    if (found === `SHA-256 ${sha256}`) continue;
    throw new PluginError('INPUT_INVALID', {
      happened: `${path} is not what \`build\` made of ${manifest.name}: ${found}`,
      expected: `SHA-256 ${sha256}, as ${manifest.name}.build.json has it`,
      remedy: `Build it again: npx sftpgo-plugin-serverless build ${manifest.name}.ts`,
    });
  }
}

/** In words for the message: a digest, or why there is none. */
async function digestOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return 'it is not there';
  if (!found.isFile()) return 'it is no regular file';
  if (found.size > maxArtifactBytes) return `it is ${found.size} bytes long`;
  const digest = createHash('sha256');
  await pipeline(createReadStream(path, { end: maxArtifactBytes }), digest);
  return `SHA-256 ${digest.digest('hex')}`;
}
