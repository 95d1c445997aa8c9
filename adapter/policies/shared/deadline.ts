import { PluginError } from '../../../proto/error.ts';
import type { Policy } from '../../shapes.ts';

/**
 * Answers in time whatever the policies below do: the call's signal aborts at its deadline or when the host gives
 * up, and the host gets DEADLINE even if somebody below does not listen.
 */
export function deadline(): Policy {
  return {
    name: 'deadline',
    wrap: (next) => (call) =>
      new Promise((resolve, reject) => {
        const abort = new AbortController();
        const expire = (happened: string) => {
          const error = new PluginError('DEADLINE', {
            happened,
            expected: 'an answer within the deadline',
            remedy: 'Look for a slow function or a slow network, or raise the timeout of the section.',
          });
          abort.abort(error);
          reject(error);
        };
        const leftMs = Math.max(0, call.deadlineMs - performance.now());
        const timer = setTimeout(() => expire(`${call.method.name} took longer than its deadline`), leftMs);
        const cancelled = () => expire(`the host gave up on ${call.method.name}`);
        if (call.signal.aborted) cancelled();
        call.signal.addEventListener('abort', cancelled, { once: true });
        next({ ...call, signal: abort.signal })
          .then(resolve, reject)
          .finally(() => {
            clearTimeout(timer);
            call.signal.removeEventListener('abort', cancelled);
          });
      }),
  };
}
