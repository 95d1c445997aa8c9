import type { KMSRequest } from '../kms.ts';
import { outputOf, type Run } from './run.ts';

/** The RPCs of a kms plugin. */
export interface KMSCalls {
  /** What SFTPGo would store. Rejects with what `encrypt` threw. */
  encrypt(request: KMSRequest): Promise<string>;
  /** What was encrypted. Rejects with what `decrypt` threw. */
  decrypt(request: KMSRequest): Promise<string>;
}

/** The calls of a kms plugin. */
export function kmsCalls(run: Run): KMSCalls {
  const call = (rpc: string) => async (request: KMSRequest) =>
    (outputOf(await run(rpc, request)) as { readonly payload: string }).payload;
  return { encrypt: call('Encrypt'), decrypt: call('Decrypt') };
}
