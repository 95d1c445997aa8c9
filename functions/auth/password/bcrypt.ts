import { bcryptVerify } from 'hash-wasm';
import { FunctionError } from '../../kit/index.ts';
import type { PasswordCheck } from './password-check.ts';

/** What every bcrypt looks at; longer passwords differ only in what nobody sees. */
const maxBytes = 72;

/**
 * `$2a$10$…`, and the same under the names `$2b$` and `$2y$` (they tell bugs of old programs apart). At most cost 16.
 * Needs WebAssembly at run time, which Workers do not have.
 */
export function bcrypt(hash: string): PasswordCheck | undefined {
  const cost = /^\$2[aby]\$(\d\d)\$[A-Za-z0-9./]{53}$/.exec(hash)?.[1];
  if (cost === undefined || Number(cost) < 4 || Number(cost) > 16) return undefined;
  return async (password) => {
    try {
      return await bcryptVerify({
        password: password.subarray(0, maxBytes),
        hash: `$2a$${hash.slice('$2a$'.length)}`,
      });
    } catch (cause) {
      throw new FunctionError('failed_precondition', 'bcrypt cannot be checked on this platform', { cause });
    }
  };
}
