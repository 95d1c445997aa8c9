import { PluginError } from '../../proto/error.ts';

/**
 * Waits for a look at what is deployed, but not longer than one call may take: the look itself goes on for the calls that
 * come after. Throws DEADLINE.
 */
export function untilAborted<T>(
  look: Promise<T>,
  signal: AbortSignal,
  { name, api, endpoint }: { readonly name: string; readonly api: string; readonly endpoint: string },
): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () =>
      reject(
        new PluginError('DEADLINE', {
          happened: `what is deployed of ${name} was not compared in time`,
          expected: `an answer of ${api} within the deadline`,
          remedy: `Check network, DNS and \`${endpoint}\`.`,
        }),
      );
    if (signal.aborted) late();
    signal.addEventListener('abort', late, { once: true });
    look.then(resolve, reject).finally(() => signal.removeEventListener('abort', late));
  });
}
