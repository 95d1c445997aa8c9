import { setTimeout as sleep } from 'node:timers/promises';
import { PluginError } from '../../../proto/error.ts';
import type { Call, Policy } from '../../shapes.ts';
import type { PolicyTools } from '../tools.ts';

/** Tokens a retry costs and a success gives back: retries stay under a fifth of the calls (gRPC A6's throttle). */
const bucketTokens = 10;
const retryCost = 1;
const successGain = 0.2;

const backoffMs = 25;

/** Which failures another attempt may mend, and for which calls: docs/reliability.md, "Retries". */
function mayRepeat(call: Call, error: unknown): boolean {
  if (!(error instanceof PluginError)) return false;
  switch (error.code) {
    case 'CLOCK_SKEW':
      return true;
    case 'UNREACHABLE':
      return ('notExecuted' in error && error.notExecuted === true) || call.traits.repeat !== 'never';
    default:
      return false;
  }
}

/** A connection that lay idle may end at any time: there are only so many, and it is no sign of an outage. */
function isIdleEnd(error: unknown): boolean {
  return Object(error).idleEnd === true;
}

/**
 * The one place where a call is sent again: once, with the same call id and a new nonce, if it surely did not run
 * or the table says it may run twice, if enough time is left, and while a token bucket allows. A connection that had
 * lain idle costs no token: after a pause, all of them may end at once.
 */
export function retry(
  options: { readonly random?: () => number; readonly tools?: PolicyTools | undefined } = {},
): Policy {
  const { random = Math.random, tools } = options;
  let tokens = bucketTokens;
  return {
    name: 'retry',
    wrap: (next) => async (call) => {
      try {
        const reply = await next(call);
        tokens = Math.min(bucketTokens, tokens + successGain);
        return reply;
      } catch (error) {
        const pauseMs = backoffMs * (0.5 + random());
        const cost = isIdleEnd(error) ? 0 : retryCost;
        if (
          call.signal.aborted ||
          tokens < cost ||
          !mayRepeat(call, error) ||
          call.deadlineMs - performance.now() < 2 * pauseMs
        ) {
          throw error;
        }
        tokens -= cost;
        await sleep(pauseMs, undefined, { signal: call.signal }).catch(() => {
          throw error;
        });
        tools?.count?.('retries_total', { rpc: call.method.name });
        return await next(call);
      }
    },
  };
}
