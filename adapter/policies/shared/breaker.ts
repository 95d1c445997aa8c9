import { CircuitState, circuitBreaker, handleWhen, isBrokenCircuitError, SamplingBreaker } from 'cockatiel';
import { PluginError } from '../../../proto/error.ts';
import type { Policy, Reply } from '../../shapes.ts';
import type { PolicyTools } from '../tools.ts';
import { HostGaveUpError } from './deadline.ts';
import { ShedError } from './limit.ts';

/** Failures of the way to the function. */
function isOutage(error: unknown): boolean {
  return error instanceof PluginError && (error.code === 'UNREACHABLE' || error.code === 'DEADLINE');
}

/** Ended without the function's doing: counts neither way. */
function saysNothing(error: unknown): boolean {
  return error instanceof HostGaveUpError || error instanceof ShedError;
}

function refusal(cause?: unknown): PluginError {
  return new PluginError('UNREACHABLE', {
    happened: 'the function failed too often; it is not asked for a moment',
    expected: 'a function that can be reached',
    remedy: 'Look for the first failures in the log.',
    cause,
  });
}

/** A settled call. Errors that are no outage travel as values: the way to the function works. */
type Outcome = { readonly reply: Reply } | { readonly error: unknown };

/**
 * Stops asking a function that cannot be reached: after more than half of at least ten calls within ten seconds
 * failed, calls fail at once for `halfOpenAfterMs`; then one call tries, and the others still fail until it is back.
 *
 * Only UNREACHABLE and DEADLINE count as failures. Every signed answer, whatever its code, counts for the function;
 * a call that the host gave up on, or that was shed, counts neither way. Stands above the deadline policy: the call that tries must
 * come to an end.
 */
export function breaker(
  options: { readonly halfOpenAfterMs?: number; readonly tools?: PolicyTools | undefined } = {},
): Policy {
  const { halfOpenAfterMs = 2000, tools } = options;
  let openedAt = 0;
  const newCircuit = () => {
    const made = circuitBreaker(
      handleWhen((error) => !saysNothing(error)),
      {
        halfOpenAfter: halfOpenAfterMs,
        breaker: new SamplingBreaker({ threshold: 0.5, duration: 10_000, minimumRps: 1 }),
      },
    );
    made.onBreak(() => {
      openedAt = performance.now();
      tools?.count?.('breaker_opened_total');
    });
    return made;
  };
  let circuit = newCircuit();
  // open until somebody asks, for ever perhaps: after its rest the next call tries
  const rested = () => circuit.state === CircuitState.Open && performance.now() - openedAt >= halfOpenAfterMs;
  tools?.gauge?.('breaker_open', () => (circuit.state === CircuitState.Closed || rested() ? 0 : 1));
  return {
    name: 'breaker',
    wrap: (next) => async (call) => {
      // cockatiel would let them wait for the one that tries, which may take until its deadline
      if (circuit.state === CircuitState.HalfOpen) throw refusal();
      // it would say the same with an error of its own, whose stack costs more than the rest of a refused call
      if (circuit.state === CircuitState.Open && !rested()) throw refusal();
      const tries = circuit.state !== CircuitState.Closed;
      const attempt = async (): Promise<Outcome> => {
        try {
          return { reply: await next(call) };
        } catch (error) {
          if (!isOutage(error) && !saysNothing(error)) return { error };
          // neither way, but for the one call that tries: it has not shown that the function is back
          throw saysNothing(error) && tries ? refusal(error) : error;
        }
      };
      let outcome: Outcome;
      try {
        outcome = await circuit.execute(attempt);
      } catch (error) {
        if (!(error instanceof Error && isBrokenCircuitError(error))) throw error;
        // cockatiel goes by the clock of the day: were it set back by an hour, the circuit would stay open so long
        if (performance.now() - openedAt > 2 * halfOpenAfterMs) circuit = newCircuit();
        throw refusal(error);
      }
      if ('error' in outcome) throw outcome.error;
      return outcome.reply;
    },
  };
}
