import { argon2idAsync } from '@noble/hashes/argon2.js';
import { argon2id as wasmArgon2id } from 'hash-wasm';
import { equalBytes, fromBase64 } from './bytes.ts';
import type { PasswordCheck } from './password-check.ts';

const form =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,4}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})$/;

interface Parameters {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly lanes: number;
  readonly salt: Uint8Array<ArrayBuffer>;
  readonly length: number;
}

/**
 * `$argon2id$v=19$m=65536,t=1,p=2$SALT$HASH` (RFC 9106, in the string form of the reference implementation). At most
 * 1 GiB and 64 passes: a stored hash must not be able to stop the function.
 */
export function argon2id(hash: string): PasswordCheck | undefined {
  const [, memory, passes, lanes, salt64 = '', expected64 = ''] = form.exec(hash) ?? [];
  const salt = fromBase64(salt64);
  const expected = fromBase64(expected64);
  if (salt === undefined || expected === undefined) return undefined;
  const parameters: Parameters = {
    memoryKiB: Number(memory),
    passes: Number(passes),
    lanes: Number(lanes),
    salt,
    length: expected.length,
  };
  const { memoryKiB, lanes: p, passes: t } = parameters;
  if (!(p >= 1 && t >= 1 && t <= 64 && memoryKiB >= 8 * p && memoryKiB <= 1024 * 1024)) return undefined;
  return async (password) => equalBytes(await derive(password, parameters), expected);
}

/** The fastest there is: Node 24's own, in a thread of its pool; WebAssembly; JavaScript, for Workers. */
async function derive(password: Uint8Array, parameters: Parameters): Promise<Uint8Array> {
  const { memoryKiB, passes, lanes, salt, length } = parameters;
  const node = globalThis.process?.getBuiltinModule?.('node:crypto');
  if (typeof node?.argon2 === 'function') {
    const options = { message: password, nonce: salt, parallelism: lanes, tagLength: length };
    return await new Promise((resolve, reject) => {
      node.argon2('argon2id', { ...options, memory: memoryKiB, passes }, (error, derived) =>
        error === null ? resolve(derived) : reject(error),
      );
    });
  }
  try {
    return await wasmArgon2id({
      ...{ password, salt, iterations: passes, parallelism: lanes, memorySize: memoryKiB },
      hashLength: length,
      outputType: 'binary',
    });
  } catch {
    // Workers compile no WebAssembly at run time
    return await argon2idAsync(password, salt, { t: passes, m: memoryKiB, p: lanes, dkLen: length });
  }
}
