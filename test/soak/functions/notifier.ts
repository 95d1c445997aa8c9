import { FunctionError, notifier } from 'sftpgo-plugin-serverless/kit';
import { decide, numberOf, tell } from './tell.ts';

function take(rpc: string, username: string): void {
  const n = numberOf(username);
  tell(rpc, n);
  if (decide(n) === 'error') throw new FunctionError('unavailable', 'the store is full');
}

/** Takes events by the number in the username. */
export default notifier<object>({
  fsEvent: ({ username }) => take('SendFsEvent', username),
  providerEvent: ({ username }) => take('SendProviderEvent', username),
  logEvent: ({ username }) => take('SendLogEvent', username),
});
