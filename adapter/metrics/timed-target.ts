import type { LockedFunction } from '../../proto/lock/schema.ts';
import type { Target } from '../shapes.ts';
import type { Metrics } from './registry.ts';

/**
 * A target whose requests are counted with the time that each took: until its answer was in, and as well until it
 * failed or was given up, or a function that answers nobody would look fast.
 */
export function timedTarget(target: Target, where: LockedFunction['target'], metrics: Metrics): Target {
  return {
    ...target,
    send(message, pin, signal) {
      const startedMs = performance.now();
      const answer = target.send(message, pin, signal);
      const ended = () => {
        const rpc = message.url.slice(message.url.lastIndexOf('/') + 1);
        metrics.observe('function_seconds', (performance.now() - startedMs) / 1000, { rpc, target: where });
      };
      // beside the call, which waits for nothing of this
      answer.then(ended, ended);
      return answer;
    },
  };
}
