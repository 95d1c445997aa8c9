import type { Policy } from '../../shapes.ts';
import { AnswerError, type Facts, type Reply, type Trace } from '../../shapes.ts';
import type { PolicyTools } from '../tools.ts';
import { askedAddress } from './local-verdicts.ts';

/** Says in the debug log what was decided, by whom and why, also of remembered verdicts. The client never learns it. */
export function verdictLog(tools?: PolicyTools): Policy {
  return {
    name: 'verdict-log',
    wrap: (next) => async (call) => {
      const asked = askedAddress(call);
      if (tools === undefined || asked === undefined) return await next(call);
      const trace: Trace = call.trace ?? {};
      const say = (verdict: 'allow' | 'deny', facts: Facts | undefined) => {
        tools.count?.('ipfilter_verdict', { verdict });
        tools.log.debug('verdict', {
          call: call.id,
          ip: asked.ip,
          protocol: asked.protocol,
          verdict,
          by: trace.answeredBy ?? 'the function',
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
