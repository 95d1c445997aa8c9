import { create } from '@bufbuild/protobuf';
import type { Policy } from '../../shapes.ts';
import { isUnavailable } from '../shared/unavailable.ts';
import { askedAddress } from './local-verdicts.ts';

/** The verdict when the function cannot be asked and nothing is remembered: `onUnavailable` of the section. */
export function onUnavailable(verdict: 'deny' | 'allow'): Policy {
  return {
    name: 'on-unavailable',
    wrap: (next) => async (call) => {
      try {
        return await next(call);
      } catch (error) {
        if (verdict === 'deny' || askedAddress(call) === undefined || !isUnavailable(error)) throw error;
        if (call.trace) call.trace.answeredBy = 'on-unavailable';
        return { output: create(call.method.output) };
      }
    },
  };
}
