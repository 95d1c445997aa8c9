import { FunctionError, kms, type Plugin } from '../../../functions/kit/index.ts';
import type { Arrivals } from './arrivals.ts';

/** "Encrypts" by writing base64; refuses urls with the host `forbidden`. */
export function kmsPlugin(arrivals: Arrivals): Plugin<object> {
  const check = (url: string) => {
    if (url.startsWith('awskms://forbidden')) throw new FunctionError('failed_precondition', 'no such key');
  };
  return kms<object>({
    encrypt(request) {
      arrivals.add('Encrypt', request);
      check(request.url);
      return btoa(request.payload);
    },
    decrypt(request) {
      arrivals.add('Decrypt', request);
      check(request.url);
      return atob(request.payload);
    },
  });
}
