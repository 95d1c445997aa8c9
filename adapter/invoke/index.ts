import { parseElapsed, pluginHeaders } from '../../proto/facts.ts';
import type { Handler, Trace } from '../shapes.ts';
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
    const trace: Trace = call.trace ?? {};
    const pinned = await pin(connection, call);
    const started = performance.now();
    const message = await sign(connection, encode(connection, call, pinned));
    const sent = performance.now();
    trace.signMs = sent - started;
    const answer = await send(connection, call, message, pinned);
    const received = performance.now();
    trace.networkMs = received - sent;
    const verified = await verify(connection, message, answer);
    trace.functionMs = parseElapsed(verified.plugin.get(pluginHeaders.elapsed)) ?? 0;
    trace.networkMs = Math.max(0, received - sent - trace.functionMs);
    const facts = await evidence(connection, call, pinned, answer, verified);
    trace.facts = facts;
    trace.verifyMs = performance.now() - received;
    return decode(call, answer, facts);
  };
}
