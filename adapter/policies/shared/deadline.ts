import { PluginError } from '../../../proto/error.ts';
import type { Call, Policy } from '../../shapes.ts';

/** DEADLINE because the host no longer waits: it says nothing about the function. */
export class HostGaveUpError extends PluginError {
  override readonly name = 'HostGaveUpError';

  constructor(rpc: string) {
    super('DEADLINE', {
      happened: `the host gave up on ${rpc}`,
      expected: 'a host that waits for its answer',
      remedy: 'Look for a host that stops, or for a client that hung up.',
    });
  }
}

/**
 * Runs a part of a call until its deadline. The signal that `run` gets aborts then, or when the host gives up,
 * with the error as its reason; the promise rejects with it whether `run` listens or not.
 *
 * Throws DEADLINE.
 */
export function withinDeadline<T>(call: Call, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = new AbortController();
    const expire = (error: PluginError) => {
      abort.abort(error);
      reject(error);
    };
    const late = () => {
      const error = new PluginError('DEADLINE', {
        happened: `${call.method.name} took longer than its deadline`,
        expected: 'an answer within the deadline',
        remedy: 'Look for a slow function or a slow network, or raise the timeout of the section.',
      });
      expire(error);
    };
    const gaveUp = () => expire(new HostGaveUpError(call.method.name));
    if (call.signal.aborted) {
      gaveUp();
      return;
    }
    const timer = setTimeout(late, Math.max(0, call.deadlineMs - performance.now()));
    call.signal.addEventListener('abort', gaveUp, { once: true });
    run(abort.signal)
      .then(resolve, reject)
      .finally(() => {
        clearTimeout(timer);
        call.signal.removeEventListener('abort', gaveUp);
      });
  });
}

/** Answers in time whatever the policies below do. */
export function deadline(): Policy {
  return {
    name: 'deadline',
    wrap: (next) => (call) => withinDeadline(call, (signal) => next({ ...call, signal })),
  };
}
