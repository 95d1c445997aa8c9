import { argon2id } from './argon2id.ts';
import { bcrypt } from './bcrypt.ts';
import { md5Crypt } from './md5-crypt.ts';
import type { PasswordCheck } from './password-check.ts';
import { pbkdf2 } from './pbkdf2.ts';
import { plainDigest } from './plain-digest.ts';
import { shaCrypt } from './sha-crypt.ts';

const schemes: readonly (readonly [prefix: string, parse: (hash: string) => PasswordCheck | undefined])[] = [
  ['$argon2id$', argon2id],
  ['$2a$', bcrypt],
  ['$2b$', bcrypt],
  ['$2y$', bcrypt],
  ['$pbkdf2-', pbkdf2],
  ['$1$', md5Crypt],
  ['$apr1$', md5Crypt],
  ['$5$', shaCrypt],
  ['$6$', shaCrypt],
  ['{MD5}', plainDigest],
  ['{SHA256}', plainDigest],
  ['{SHA512}', plainDigest],
];

const known = 'argon2id, bcrypt, pbkdf2, sha512crypt, sha256crypt, md5crypt, apr1, {MD5}, {SHA256}, {SHA512}';

/**
 * Reads a stored hash once, so that it can be checked many times.
 *
 * Returns the check, or `{ problem }` in words that quote nothing of the hash but its scheme.
 */
export function parseHash(hash: string): { check: PasswordCheck } | { problem: string } {
  const scheme = schemes.find(([prefix]) => hash.startsWith(prefix));
  const check = scheme?.[1](hash);
  if (check !== undefined) return { check };
  if (scheme !== undefined) return { problem: `a hash ${scheme[0]}… that is damaged or beyond the limits` };
  if (hash.startsWith('$y$')) return { problem: 'a yescrypt hash ($y$), which this function cannot check' };
  return { problem: `no hash of a kind that this function checks (${known})` };
}
