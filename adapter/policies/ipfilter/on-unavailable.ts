import { create } from '@bufbuild/protobuf';
import { onceAMinute } from '../../repeated.ts';
import type { Policy } from '../../shapes.ts';
import { isUnavailable } from '../shared/unavailable.ts';
import type { PolicyTools } from '../tools.ts';
import { askedAddress } from './local-verdicts.ts';
import { isOverload, type Outage } from './outage.ts';

/**
 * The verdict when the function cannot be asked and nothing is remembered: `onUnavailable` of the section. `allow`
 * holds in an outage only, never for what was shed and never while a flood may be the reason. It is said in the log, once
 * a minute: whoever reads it should know that the door is open.
 */
export function onUnavailable(
  verdict: 'deny' | 'allow',
  outage: Pick<Outage, 'isConfirmed'>,
  tools?: PolicyTools,
): Policy {
  const lines = onceAMinute();
  const warn = (code: string) => {
    if (!lines.opensFor('open')) return;
    const effect = 'addresses are allowed that nobody was asked about (onUnavailable: allow)';
    tools?.log.warn('the function cannot be asked', { function: tools.functionName, code, effect });
  };
  const over = () => {
    if (outage.isConfirmed() || !lines.reset()) return;
    tools?.log.info('no address is allowed unasked any more', { function: tools.functionName });
  };
  return {
    name: 'on-unavailable',
    wrap: (next) => async (call) => {
      try {
        const reply = await next(call);
        over();
        return reply;
      } catch (error) {
        over();
        if (askedAddress(call) === undefined || !isUnavailable(error) || isOverload(error)) throw error;
        const allowed = verdict === 'allow' && outage.isConfirmed();
        tools?.count?.('ipfilter_on_unavailable', { verdict: allowed ? 'allow' : 'deny' });
        if (!allowed) throw error;
        warn(error.code);
        if (call.trace) call.trace.answeredBy = 'on-unavailable';
        return { output: create(call.method.output) };
      }
    },
  };
}
