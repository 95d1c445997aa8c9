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

/** Idle connections that may end beside that: as many as a role keeps. They are no sign of an outage. */
const idleEndsAMinute = 256;
const minuteMs = 60_000;

/** Says of each failure whether it may cost a request more. */
function ration(): { earn(): void; spend(error: unknown): boolean } {
  let tokens = bucketTokens;
  let idleEnds = 0;
  let sinceMs = Number.NEGATIVE_INFINITY;
  return {
    earn() {
      tokens = Math.min(bucketTokens, tokens + successGain);
    },
    spend(error) {
      if (Object(error).idleEnd === true) {
        const nowMs = performance.now();
        if (nowMs - sinceMs >= minuteMs) [idleEnds, sinceMs] = [0, nowMs];
        idleEnds += 1;
        if (idleEnds <= idleEndsAMinute) return true;
      }
      if (tokens < retryCost) return false;
      tokens -= retryCost;
      return true;
    },
  };
}

/**
 * The one place where a call is sent again: once, with the same call id and a new nonce, if it surely did not run
 * or the table says it may run twice, if enough time is left, and while a token bucket allows. Connections that had
 * lain idle have an allowance of their own: after a pause, all of them may end at once.
 */
export function retry(
  options: { readonly random?: () => number; readonly tools?: PolicyTools | undefined } = {},
): Policy {
  const { random = Math.random, tools } = options;
  const rationed = ration();
  return {
    name: 'retry',
    wrap: (next) => async (call) => {
      try {
        const reply = await next(call);
        rationed.earn();
        return reply;
      } catch (error) {
        const pauseMs = backoffMs * (0.5 + random());
        if (
          call.signal.aborted ||
          !mayRepeat(call, error) ||
          call.deadlineMs - performance.now() < 2 * pauseMs ||
          !rationed.spend(error)
        ) {
          throw error;
        }
        await sleep(pauseMs, undefined, { signal: call.signal }).catch(() => {
          throw error;
        });
        tools?.count?.('retries_total', { rpc: call.method.name });
        return await next(call);
      }
    },
  };
}
