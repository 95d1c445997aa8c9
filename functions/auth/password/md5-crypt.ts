import { concatBytes, equalBytes, repeatBytes } from './bytes.ts';
import { crypt64 } from './crypt64.ts';
import { digest } from './digest.ts';
import type { PasswordCheck } from './password-check.ts';

const form = /^(\$1\$|\$apr1\$)([^$:\s]{0,8})\$([A-Za-z0-9./]{22})$/;
const rounds = 1000;
const utf8 = new TextEncoder();
const order = [
  [0, 6, 12],
  [1, 7, 13],
  [2, 8, 14],
  [3, 9, 15],
  [4, 10, 5],
  [-1, -1, 11],
] as const;

/** `$1$SALT$HASH` of crypt(3) and `$apr1$SALT$HASH` of Apache's htpasswd: the same steps under another name. */
export function md5Crypt(hash: string): PasswordCheck | undefined {
  const [, magic = '', salt, expected = ''] = form.exec(hash) ?? [];
  if (salt === undefined) return undefined;
  return async (password) => {
    const found = md5CryptOf(password, utf8.encode(magic), utf8.encode(salt));
    return equalBytes(utf8.encode(found), utf8.encode(expected));
  };
}

function md5CryptOf(password: Uint8Array, magic: Uint8Array, salt: Uint8Array): string {
  const md5 = (...parts: readonly Uint8Array[]) => digest('md5', concatBytes(...parts));
  const mixed = md5(password, salt, password);
  const parts = [password, magic, salt, repeatBytes(mixed, password.length)];
  for (let bits = password.length; bits > 0; bits >>= 1) {
    parts.push((bits & 1) === 1 ? Uint8Array.of(0) : password.subarray(0, 1));
  }
  let state = md5(...parts);
  for (let round = 0; round < rounds; round += 1) {
    const odd = round % 2 === 1;
    state = md5(
      odd ? password : state,
      ...(round % 3 === 0 ? [] : [salt]),
      ...(round % 7 === 0 ? [] : [password]),
      odd ? state : password,
    );
  }
  return crypt64(state, order);
}
