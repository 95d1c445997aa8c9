import { randomBytes } from 'node:crypto';
import { pluginHeaders } from '../../proto/facts.ts';
import type { Connection } from './connection.ts';
import { sign } from './sign.ts';
import { verify } from './verify.ts';

/** What a function and its platform say of the code that runs. */
export interface Probed {
  /** The signed plugin-version. */
  readonly build?: string;
  /** The version that the platform says it ran. */
  readonly executed?: string;
}

/**
 * Asks a function which build it is without running anything there: a signed call of an RPC that no function has
 * is answered, signed, with `unimplemented`, and every signed answer carries the build.
 *
 * Throws what a call throws.
 */
export async function probe(connection: Connection, service: string, signal: AbortSignal): Promise<Probed> {
  const pinned = await connection.verifier.pin(signal);
  const message = await sign(connection, {
    url: `${connection.target.origin(pinned)}/${service}/Probe`,
    headers: [
      ['content-type', 'application/json'],
      ['accept-encoding', 'identity'],
      ['cache-control', 'no-store, no-transform'],
      ['connect-protocol-version', '1'],
      ['connect-timeout-ms', '10000'],
      [pluginHeaders.function, connection.functionName],
      [pluginHeaders.callId, randomBytes(16).toString('hex')],
    ],
    body: new TextEncoder().encode('{}'),
  });
  const answer = await connection.target.send(message, pinned, signal);
  const build = (await verify(connection, message, answer)).plugin.get(pluginHeaders.version);
  return {
    ...(build === undefined ? {} : { build }),
    ...(answer.executed === undefined ? {} : { executed: answer.executed }),
  };
}
