import { createHash } from 'node:crypto';
import { PluginError } from '../../proto/error.ts';

/** As functions/kit/build-id.ts spells it. Latin-1 keeps every byte of a bundle one character. */
const place = /sftpgo-plugin-serverless build ([0-9a-f]{64})/g;

/**
 * Computes a bundle's build id: the SHA-256, in hex, of its bytes with the id's own 64 digits zero.
 *
 * @throws PluginError INPUT_INVALID unless the bundle has exactly one place for an id
 */
export function buildIdOf(bundle: Uint8Array): string {
  return createHash('sha256')
    .update(rewrite(bundle, '0'.repeat(64)).bytes)
    .digest('hex');
}

/** The build id that is written in a bundle. Throws as {@link buildIdOf}. */
export function writtenBuildId(bundle: Uint8Array): string {
  return rewrite(bundle, '0'.repeat(64)).written;
}

/** Writes a bundle's build id into it. Throws as {@link buildIdOf}. */
export function stampBuildId(bundle: Uint8Array): { readonly bytes: Uint8Array; readonly buildId: string } {
  const buildId = buildIdOf(bundle);
  return { bytes: rewrite(bundle, buildId).bytes, buildId };
}

function rewrite(bundle: Uint8Array, digits: string): { bytes: Uint8Array; written: string } {
  const text = Buffer.from(bundle).toString('latin1');
  const places = [...text.matchAll(place)];
  const [found] = places;
  if (found === undefined || places.length > 1) {
    throw new PluginError('INPUT_INVALID', {
      happened: `the bundle has ${places.length} places for a build id`,
      expected: 'exactly one, from the kit',
      remedy: 'Export a plugin made by the kit by default, and bundle one copy of the kit.',
    });
  }
  const [whole, written = ''] = found;
  const start = found.index + whole.length - 64;
  const bytes = Uint8Array.from(bundle);
  bytes.set(Buffer.from(digits, 'latin1'), start);
  return { bytes, written };
}
