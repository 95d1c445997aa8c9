import type { Call, HttpAnswer, HttpMessage } from '../shapes.ts';
import type { Connection } from './connection.ts';

/** Step 4: the request out and the raw answer in. Throws UNREACHABLE or DEADLINE. */
export async function send(
  connection: Connection,
  call: Call,
  message: HttpMessage,
  pinned: string,
): Promise<HttpAnswer> {
  return await connection.target.send(message, pinned, call.signal);
}
