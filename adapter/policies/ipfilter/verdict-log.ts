import type { Policy } from '../../shapes.ts';
import { AnswerError, type Facts, type Reply, type Trace } from '../../shapes.ts';
import type { PolicyTools } from '../tools.ts';
import { askedAddress } from './local-verdicts.ts';

/** SFTPGo asks for each HTTP request: a line for each would cost more than the verdict, here and in SFTPGo. */
const repeatMs = 1000;
const maxLines = 1000;

/**
 * Says in the debug log what was decided, by whom and why, also of remembered verdicts; the client never learns it.
 * What needed no function is said once a second for each address and protocol, and for a thousand of them.
 */
export function verdictLog(tools?: PolicyTools): Policy {
  const said = new Set<string>();
  let since = performance.now();
  let last = { ip: '', protocol: '' };

  function isRepeated(ip: string, protocol: string): boolean {
    const now = performance.now();
    if (now - since >= repeatMs) {
      since = now;
      said.clear();
    } else if (ip === last.ip && protocol === last.protocol) return true;
    last = { ip, protocol };
    const key = `${ip} ${protocol}`;
    if (said.has(key) || said.size >= maxLines) return true;
    said.add(key);
    return false;
  }

  return {
    name: 'verdict-log',
    wrap: (next) => async (call) => {
      const asked = askedAddress(call);
      if (tools === undefined || asked === undefined) return await next(call);
      const { ip, protocol } = asked;
      const trace: Trace = call.trace ?? {};
      const say = (verdict: 'allow' | 'deny', facts: Facts | undefined) => {
        const by = trace.answeredBy;
        if (by !== undefined && isRepeated(ip, protocol)) return;
        tools.log.debug('verdict', {
          call: call.id,
          ip,
          protocol,
          verdict,
          by: by ?? 'the function',
          ...(facts?.reason === undefined ? {} : { reason: facts.reason }),
        });
      };
      let reply: Reply;
      try {
        reply = await next(call.trace ? call : { ...call, trace });
      } catch (error) {
        if (error instanceof AnswerError && error.code === 'DENIED') say('deny', error.facts);
        throw error;
      }
      say('allow', reply.facts);
      return reply;
    },
  };
}
