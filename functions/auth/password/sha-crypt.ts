import { concatBytes, equalBytes, repeatBytes } from './bytes.ts';
import { crypt64 } from './crypt64.ts';
import { digest } from './digest.ts';
import type { PasswordCheck } from './password-check.ts';

const form = /^\$([56])\$(?:rounds=([1-9]\d{3,7})\$)?([^$:\s]{0,16})\$([A-Za-z0-9./]{43}|[A-Za-z0-9./]{86})$/;
const defaultRounds = 5000;
const maxRounds = 5_000_000;
const utf8 = new TextEncoder();

type Group = readonly [number, number, number];

const schemes = {
  '5': { name: 'sha256', size: 32, order: rotating(10, 10, 20, [-1, 31, 30]) },
  '6': { name: 'sha512', size: 64, order: rotating(21, 21, 42, [-1, -1, 63]) },
} as const;

/**
 * `$5$…` (SHA-256) and `$6$…` (SHA-512) of crypt(3), with or without `rounds=N$`: "Unix crypt using SHA-256 and
 * SHA-512" by Ulrich Drepper, https://www.akkadia.org/drepper/SHA-crypt.txt. At most 5,000,000 rounds.
 */
export function shaCrypt(hash: string): PasswordCheck | undefined {
  const [, id = '', rounds = defaultRounds, salt, expected = ''] = form.exec(hash) ?? [];
  const scheme = schemes[id as keyof typeof schemes];
  if (scheme === undefined || salt === undefined || Number(rounds) > maxRounds) return undefined;
  if (expected.length !== Math.ceil((scheme.size * 8) / 6)) return undefined;
  return async (password) => {
    const found = shaCryptOf(scheme, password, utf8.encode(salt), Number(rounds));
    return equalBytes(utf8.encode(found), utf8.encode(expected));
  };
}

/** The letters are those of the paper's steps. */
function shaCryptOf(
  { name, order }: (typeof schemes)[keyof typeof schemes],
  password: Uint8Array,
  salt: Uint8Array,
  rounds: number,
): string {
  const sha = (...parts: readonly Uint8Array[]) => digest(name, concatBytes(...parts));
  const b = sha(password, salt, password);
  const parts = [password, salt, repeatBytes(b, password.length)];
  for (let bits = password.length; bits > 0; bits >>= 1) parts.push((bits & 1) === 1 ? b : password);
  let a = sha(...parts);
  const p = repeatBytes(sha(repeatBytes(password, password.length ** 2)), password.length);
  const s = repeatBytes(sha(repeatBytes(salt, salt.length * (16 + (a[0] ?? 0)))), salt.length);
  for (let round = 0; round < rounds; round += 1) {
    const odd = round % 2 === 1;
    a = sha(odd ? p : a, ...(round % 3 === 0 ? [] : [s]), ...(round % 7 === 0 ? [] : [p]), odd ? a : p);
  }
  return crypt64(a, order);
}

/**
 * The paper's order of bytes: triples (0, step, 2·step), each next one with every index one higher and turned by one
 * place; SHA-256 turns to the right, SHA-512 to the left.
 */
function rotating(count: number, first: number, second: number, last: Group): readonly Group[] {
  const toTheRight = count === 10;
  const groups = Array.from({ length: count }, (_, index): Group => {
    const [x, y, z] = [index, index + first, index + second];
    if (index % 3 === 0) return [x, y, z];
    return (index % 3 === 1) === toTheRight ? [z, x, y] : [y, z, x];
  });
  return [...groups, last];
}
