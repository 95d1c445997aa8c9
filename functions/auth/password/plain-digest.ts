import { equalBytes } from './bytes.ts';
import { type DigestName, digest } from './digest.ts';
import type { PasswordCheck } from './password-check.ts';

const form = /^\{(MD5|SHA256|SHA512)\}([0-9a-f]+)$/;
const sizes: Readonly<Record<string, number>> = { MD5: 16, SHA256: 32, SHA512: 64 };

/** `{MD5}`, `{SHA256}`, `{SHA512}` and hex digits: unsalted, for what other programs left behind. */
export function plainDigest(hash: string): PasswordCheck | undefined {
  const [, name = '', hex = ''] = form.exec(hash) ?? [];
  if (hex.length !== (sizes[name] ?? Number.NaN) * 2) return undefined;
  const expected = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return async (password) => equalBytes(digest(name.toLowerCase() as DigestName, password), expected);
}
