import { create } from '@bufbuild/protobuf';
import type { Policy } from '../../shapes.ts';
import { isUnavailable } from '../shared/unavailable.ts';
import type { PolicyTools } from '../tools.ts';
import { askedAddress } from './local-verdicts.ts';
import { isOverload, type Outage } from './outage.ts';

/**
 * The verdict when the function cannot be asked and nothing is remembered: `onUnavailable` of the section. `allow`
 * holds in an outage only, never for what was shed and never while a flood may be the reason.
 */
export function onUnavailable(
  verdict: 'deny' | 'allow',
  outage: Pick<Outage, 'isConfirmed'>,
  tools?: PolicyTools,
): Policy {
  return {
    name: 'on-unavailable',
    wrap: (next) => async (call) => {
      try {
        return await next(call);
      } catch (error) {
        if (askedAddress(call) === undefined || !isUnavailable(error) || isOverload(error)) throw error;
        const allowed = verdict === 'allow' && outage.isConfirmed();
        tools?.count?.('ipfilter_on_unavailable', { verdict: allowed ? 'allow' : 'deny' });
        if (!allowed) throw error;
        if (call.trace) call.trace.answeredBy = 'on-unavailable';
        return { output: create(call.method.output) };
      }
    },
  };
}
