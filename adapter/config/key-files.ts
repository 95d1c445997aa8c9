import * as z from 'zod';
import { type ErrorCode, PluginError } from '../../proto/error.ts';
import type { PrivateJwk, PublicJwk } from '../../proto/keys/jwk.ts';
import { type FileStamp, readTextFile } from './read-file.ts';

const base64url32 = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const publicShape = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: base64url32 });
const privateJwk = publicShape.extend({ d: base64url32 });
const publicJwk = publicShape.extend({ d: z.never('a private key has no place here').optional() });
const jwks = z.object({ keys: z.array(publicJwk).min(1).max(64) });

const maxKeyFileBytes = 64 * 1024;

function parse<T>(
  schema: z.ZodType<T>,
  text: string,
  code: ErrorCode,
  happened: string,
  expected: string,
): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw new PluginError(code, {
    happened,
    expected,
    remedy: 'Make it with `keys create`, or take it again from where it was made.',
  });
}

/**
 * Reads a private key file: one Ed25519 JWK (RFC 8037) as `keys create` writes it.
 *
 * Throws KEY_FILE_INVALID, or KEY_FILE_EXPOSED when others can read or write it; never with a part of the key.
 */
export async function readPrivateKey(path: string): Promise<{ jwk: PrivateJwk; stamp: FileStamp }> {
  const { text, stamp } = await readTextFile(path, {
    code: 'KEY_FILE_INVALID',
    what: 'the key file',
    exposure: 'secret',
    maxBytes: maxKeyFileBytes,
  });
  const jwk = parse(
    privateJwk,
    text,
    'KEY_FILE_INVALID',
    `the key file ${path} holds no private key`,
    'a private Ed25519 key as JWK: {"kty":"OKP","crv":"Ed25519","x":…,"d":…}',
  );
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
  const { keys } = parse(
    jwks,
    text,
    code,
    `${what} ${path} is no set of public keys`,
    'a JWKS of public Ed25519 keys: {"keys":[{"kty":"OKP","crv":"Ed25519","x":…}]}',
  );
  return { keys: keys.map(({ kty, crv, x }) => ({ kty, crv, x })), stamp };
}
