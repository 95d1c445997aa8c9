import { generateKeyPairSync } from 'node:crypto';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { PluginError } from '../../../proto/error.ts';
import type { PrivateJwk, PublicJwk } from '../../../proto/keys/jwk.ts';
import { thumbprint } from '../../../proto/keys/thumbprint.ts';
import { nodeCrypto } from '../../../proto/signature/node.ts';
import { readPublicKeys } from '../../config/key-files.ts';
import { writeFileAtomically, writeNewFile } from '../../config/write-file.ts';

/** A new Ed25519 key. */
export function newPrivateKey(): PrivateJwk {
  const { kty, crv, x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  if (kty !== 'OKP' || crv !== 'Ed25519' || x === undefined || d === undefined) {
    throw new PluginError('INTERNAL', {
      happened: 'node:crypto made no Ed25519 key',
      expected: 'a JWK of type OKP',
      remedy: 'Use a Node release that has Ed25519.',
    });
  }
  return { kty, crv, x, d };
}

/** RFC 7638 thumbprint: the keyid in signatures and lists. */
export async function keyidOf(jwk: PublicJwk): Promise<string> {
  return await thumbprint(jwk, nodeCrypto);
}

export async function exists(path: string): Promise<boolean> {
  return await access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}

/** Writes a private key, mode 0600; throws KEY_FILE_INVALID rather than replace a file. */
export async function writePrivateKey(path: string, jwk: PrivateJwk): Promise<void> {
  try {
    await writeNewFile(path, `${JSON.stringify(jwk)}\n`, 0o600);
  } catch (cause) {
    const exists = Object(cause).code === 'EEXIST';
    throw new PluginError('KEY_FILE_INVALID', {
      happened: exists ? `${path} exists` : `${path} cannot be written (${Object(cause).code})`,
      expected: exists ? 'a new file: a key is never overwritten' : 'a folder that you can write',
      remedy: exists
        ? 'Replace a key by `keys rotate`, or use another --out.'
        : 'Correct its owner and mode.',
      cause,
    });
  }
}

/** The public companion of a key file: `adapter.key.json` → `adapter.jwks.json`. */
export function publicPathOf(keyPath: string): string {
  return `${keyPath.replace(/(?:\.key)?\.json$/, '')}.jwks.json`;
}

/** Writes a JWKS of public keys, replacing the file. */
export async function writePublicKeys(path: string, keys: readonly PublicJwk[]): Promise<void> {
  const listed = await Promise.all(
    keys.map(async ({ kty, crv, x }) => ({ kty, crv, x, kid: await keyidOf({ kty, crv, x }) })),
  );
  await writeFileAtomically(path, `${JSON.stringify({ keys: listed }, undefined, 2)}\n`, 0o644);
}

/** The keys of a JWKS file; none when the file is not there. */
export async function publicKeysIn(path: string): Promise<readonly PublicJwk[]> {
  if (!(await exists(path))) return [];
  return (await readPublicKeys(path, 'the public key file', 'KEY_FILE_INVALID')).keys;
}
