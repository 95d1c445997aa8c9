import { circuitBreaker, handleWhen, isBrokenCircuitError, SamplingBreaker } from 'cockatiel';
import { PluginError } from '../../../proto/error.ts';
import type { Policy } from '../../shapes.ts';

/** Failures of the way to the function. Signed answers of any code never count, nor does a refused one. */
function countsAsOutage(error: Error): boolean {
  return error instanceof PluginError && (error.code === 'UNREACHABLE' || error.code === 'DEADLINE');
}

/**
 * Stops asking a function that cannot be reached: after half of at least ten calls within ten seconds failed, calls
 * fail at once for `halfOpenAfterMs`; then one call tries.
 */
export function breaker(options: { halfOpenAfterMs?: number } = {}): Policy {
  const { halfOpenAfterMs = 2000 } = options;
  const circuit = circuitBreaker(handleWhen(countsAsOutage), {
    halfOpenAfter: halfOpenAfterMs,
    breaker: new SamplingBreaker({ threshold: 0.5, duration: 10_000, minimumRps: 1 }),
  });
  return {
    name: 'breaker',
    wrap: (next) => async (call) => {
      try {
        return await circuit.execute(() => next(call));
      } catch (error) {
        if (!(error instanceof Error) || !isBrokenCircuitError(error)) throw error;
        throw new PluginError('UNREACHABLE', {
          happened: 'the function failed too often; it is not asked for a moment',
          expected: 'a function that can be reached',
          remedy: 'Look for the first failures in the log.',
          cause: error,
        });
      }
    },
  };
}
