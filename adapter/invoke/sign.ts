import { signRequest } from '../../proto/signature/sign-request.ts';
import type { HttpMessage } from '../shapes.ts';
import type { Connection } from './connection.ts';

/** Step 3: the request with its content digest and signature; a new nonce at every attempt. */
export async function sign(connection: Connection, message: HttpMessage): Promise<HttpMessage> {
  const headers = await signRequest(
    { method: 'POST', ...message },
    { key: connection.signingKey, crypto: connection.crypto, nowS: connection.clock.nowS() },
  );
  return { ...message, headers };
}
