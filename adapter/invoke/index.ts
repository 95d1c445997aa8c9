import type { Handler } from '../shapes.ts';
import type { Connection } from './connection.ts';
import { decode } from './decode.ts';
import { encode } from './encode.ts';
import { evidence } from './evidence.ts';
import { pin } from './pin.ts';
import { send } from './send.ts';
import { sign } from './sign.ts';
import { verify } from './verify.ts';

/**
 * The path of one call to one function: seven steps in order, a file each.
 *
 * The handler throws a PluginError whose code says which step refused; nothing of an answer is used before
 * all of its checks have passed.
 */
export function createInvoke(connection: Connection): Handler {
  return async (call) => {
    const { trace } = call;
    const pinned = await pin(connection, call);
    const started = performance.now();
    const message = encode(connection, call);
    const signed = await sign(connection, message);
    const sent = performance.now();
    const answer = await send(connection, call, signed, pinned);
    const received = performance.now();
    const verified = await verify(connection, signed, answer);
    const facts = await evidence(connection, call, pinned, answer, verified);
    if (trace) {
      const functionMs = Number(verified.plugin.get('plugin-elapsed') ?? 0);
      trace.facts = facts;
      trace.signMs = sent - started;
      trace.functionMs = functionMs;
      trace.networkMs = Math.max(0, received - sent - functionMs);
      trace.verifyMs = performance.now() - received;
    }
    return decode(call, answer, facts);
  };
}
