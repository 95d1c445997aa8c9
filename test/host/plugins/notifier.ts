import { FunctionError, notifier, type Plugin } from '../../../functions/kit/index.ts';
import type { Arrivals } from './arrivals.ts';

/** Takes every event but those of the user `full`, for which the store is full. */
export function notifierPlugin(arrivals: Arrivals): Plugin<object> {
  const take =
    (rpc: string) =>
    (event: { readonly username: string }, { id, instance }: { id: string; instance: string }) => {
      arrivals.add(rpc, { event, id, instance });
      if (event.username === 'full') throw new FunctionError('unavailable', 'the store is full');
    };
  return notifier<object>({
    fsEvent: take('SendFsEvent'),
    providerEvent: take('SendProviderEvent'),
    logEvent: take('SendLogEvent'),
  });
}
