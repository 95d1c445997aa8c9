import { PluginError } from '../error.ts';
import type { PrivateJwk, PublicJwk } from './jwk.ts';

/** 32 bytes in base64url: 43 characters, the last one without spare bits (RFC 4648 §3.5). */
const bytes32 = /^[\w-]{42}[AEIMQUYcgkosw048]$/;

function fail(happened: string, expected: string): never {
  throw new PluginError('KEY_FILE_INVALID', {
    happened,
    expected,
    remedy: 'Make keys with `sftpgo-plugin-serverless keys create`, and hand on what `keys list` prints.',
  });
}

function ed25519(value: unknown, what: string): Record<string, unknown> & { x: string } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    fail(`${what} is not a JSON object`, 'an Ed25519 key as JWK');
  }
  const { kty, crv, x } = value as Record<string, unknown>;
  if (kty !== 'OKP' || crv !== 'Ed25519')
    fail(`${what} is another kind of key`, 'kty "OKP" and crv "Ed25519"');
  if (typeof x !== 'string' || !bytes32.test(x)) fail(`${what} has no usable x`, '32 bytes in base64url');
  return { ...value, x };
}

/**
 * Checks a parsed JSON value to be an Ed25519 public key (RFC 8037 §2). `what` names it in errors: the file and
 * its place there. Throws KEY_FILE_INVALID, also for a private key: that it lies here is a leak.
 */
export function parsePublicJwk(value: unknown, what = 'the key'): PublicJwk {
  const key = ed25519(value, what);
  if ('d' in key) fail(`${what} is a private key`, 'a public key, without d');
  return { kty: 'OKP', crv: 'Ed25519', x: key.x };
}

/** Checks a parsed JSON value to be an Ed25519 private key. Throws KEY_FILE_INVALID; nothing of it is in the text. */
export function parsePrivateJwk(value: unknown, what = 'the key'): PrivateJwk {
  const { x, d } = ed25519(value, what);
  if (typeof d !== 'string' || !bytes32.test(d))
    fail(`${what} has no usable d`, 'a private key: 32 bytes in base64url');
  return { kty: 'OKP', crv: 'Ed25519', x, d };
}

/**
 * Checks a parsed JSON value to be a JWK Set (RFC 7517 §5) of at least one Ed25519 public key and nothing else.
 * Throws KEY_FILE_INVALID.
 */
export function parseJwks(value: unknown, what = 'the key set'): readonly PublicJwk[] {
  const keys = typeof value === 'object' && value !== null && 'keys' in value ? value.keys : undefined;
  if (!Array.isArray(keys) || keys.length === 0) fail(`${what} has no keys`, 'a JWK Set: {"keys": [...]}');
  return keys.map((key: unknown, index) => parsePublicJwk(key, `${what}, keys[${index}],`));
}
