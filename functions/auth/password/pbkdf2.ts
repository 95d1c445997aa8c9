import { sha1 } from '@noble/hashes/legacy.js';
import { pbkdf2Async } from '@noble/hashes/pbkdf2.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { equalBytes, fromBase64 } from './bytes.ts';
import type { PasswordCheck } from './password-check.ts';

const form =
  /^\$pbkdf2-(b64salt-)?(sha1|sha256|sha512)\$([1-9]\d{0,6})\$([^$]{1,256})\$([A-Za-z0-9+/]{16,172}={0,2})$/;
const functions = {
  sha1: { web: 'SHA-1', portable: sha1 },
  sha256: { web: 'SHA-256', portable: sha256 },
  sha512: { web: 'SHA-512', portable: sha512 },
} as const;
const utf8 = new TextEncoder();

/**
 * `$pbkdf2-sha256$ITERATIONS$SALT$BASE64`, with sha1 and sha512 too; the salt is text as it stands, in
 * `$pbkdf2-b64salt-sha256$` base64. As SFTPGo imports them (https://docs.sftpgo.com/latest/rest-api/).
 */
export function pbkdf2(hash: string): PasswordCheck | undefined {
  const [, binary, name = '', iterations = '', saltText = '', expected64 = ''] = form.exec(hash) ?? [];
  const salt = binary === undefined ? utf8.encode(saltText) : fromBase64(saltText);
  const expected = fromBase64(expected64);
  // SFTPGo knows the salt in base64 with SHA-256 only
  if (salt === undefined || expected === undefined || (binary !== undefined && name !== 'sha256'))
    return undefined;
  const { web, portable } = functions[name as keyof typeof functions] ?? {};
  if (web === undefined) return undefined;
  return async (password) => {
    const rounds = Number(iterations);
    try {
      const key = await crypto.subtle.importKey('raw', new Uint8Array(password), 'PBKDF2', false, [
        'deriveBits',
      ]);
      const parameters = { name: 'PBKDF2', hash: web, salt, iterations: rounds };
      const bits = await crypto.subtle.deriveBits(parameters, key, expected.length * 8);
      return equalBytes(new Uint8Array(bits), expected);
    } catch {
      // Workers' WebCrypto does at most 100,000 iterations
      return equalBytes(
        await pbkdf2Async(portable, password, salt, { c: rounds, dkLen: expected.length }),
        expected,
      );
    }
  };
}
