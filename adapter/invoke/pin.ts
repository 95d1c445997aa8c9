import type { Call } from '../shapes.ts';
import type { Connection } from './connection.ts';

/** Step 1: which version to call; '' where the address is all there is. Throws DRIFT or UNREACHABLE. */
export async function pin(connection: Connection, call: Call): Promise<string> {
  return await connection.verifier.pin(call.signal);
}
