import { type ErrorCode, PluginError } from '../../proto/error.ts';
import type { PrivateJwk, PublicJwk } from '../../proto/keys/jwk.ts';
import { parseJwks, parsePrivateJwk } from '../../proto/keys/parse.ts';
import { nodeSigningKey } from '../../proto/signature/node.ts';
import { type FileStamp, readTextFile } from './read-file.ts';

const maxKeyFileBytes = 64 * 1024;

/** Runs a check of a file's JSON; its refusal gets `code` and the file's name. The JSON itself is in no message. */
function checked<T>(text: string, code: ErrorCode, file: string, check: (json: unknown) => T): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new PluginError(code, {
      happened: `${file} is not JSON`,
      expected: 'what `keys create` writes',
      remedy: 'Make it again, or take it again from where it was made.',
    });
  }
  try {
    return check(json);
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    const { happened, expected, remedy } = error;
    throw new PluginError(code, {
      happened: happened.includes(file) ? happened : `${file}: ${happened}`,
      expected,
      remedy,
    });
  }
}

/**
 * Reads a private key file: one Ed25519 JWK (RFC 8037) as `keys create` writes it.
 *
 * Throws KEY_FILE_INVALID, or KEY_FILE_EXPOSED when others can read or write it; never with a part of the key.
 */
export async function readPrivateKey(path: string): Promise<{ jwk: PrivateJwk; stamp: FileStamp }> {
  const what = 'the key file';
  const { text, stamp } = await readTextFile(path, {
    code: 'KEY_FILE_INVALID',
    what,
    exposure: 'secret',
    maxBytes: maxKeyFileBytes,
  });
  const file = `${what} ${path}`;
  const jwk = checked(text, 'KEY_FILE_INVALID', file, (json) => {
    const parsed = parsePrivateJwk(json, file);
    nodeSigningKey(parsed);
    return parsed;
  });
  return { jwk, stamp };
}

/** Reads a file of public keys: a JWKS (RFC 7517 section 5). Throws `code`. */
export async function readPublicKeys(
  path: string,
  what: string,
  code: ErrorCode,
): Promise<{ keys: readonly PublicJwk[]; stamp: FileStamp }> {
  const { text, stamp } = await readTextFile(path, {
    code,
    what,
    exposure: 'public',
    maxBytes: maxKeyFileBytes,
  });
  const file = `${what} ${path}`;
  return { keys: checked(text, code, file, (json) => parseJwks(json, file)), stamp };
}
