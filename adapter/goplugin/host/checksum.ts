import { createHash, timingSafeEqual } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { PluginError } from '../../../proto/error.ts';

/**
 * Is the file exactly the expected one? go-plugin's SecureConfig: only the file that is executed, so for a
 * script the script itself, but for `node plugin.js` Node and not the plugin.
 *
 * @param path as it is executed
 * @param sha256 64 hexadecimal digits
 *
 * Throws CHECKSUM_MISMATCH, also when the file cannot be read; INPUT_INVALID when `sha256` is not a digest.
 */
export async function checkExecutable(path: string, sha256: string): Promise<void> {
  if (!/^[0-9a-fA-F]{64}$/.test(sha256)) {
    throw new PluginError('INPUT_INVALID', {
      happened: 'the SHA-256 of the plugin is not one',
      expected: '64 hexadecimal digits',
      remedy: `Take it from: sha256sum ${path}`,
    });
  }
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (cause) {
    refuse(path, `cannot be read (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
  if (!timingSafeEqual(hash.digest(), Buffer.from(sha256, 'hex')))
    refuse(path, 'is another file than expected');
}

function refuse(path: string, problem: string, cause?: unknown): never {
  throw new PluginError('CHECKSUM_MISMATCH', {
    happened: `${path} ${problem}`,
    expected: 'the file with the configured SHA-256',
    remedy: 'Put the built file back, or configure the SHA-256 of the new one.',
    cause,
  });
}
