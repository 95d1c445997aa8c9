import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { HttpsClientSetup } from './baseline/https-client.ts';
import type { Party } from './load.ts';

/** A bare client on node:https in a process of its own. */
export async function startHttpsClient(setup: HttpsClientSetup): Promise<Party & { close(): Promise<void> }> {
  const child = fork(join(import.meta.dirname, 'baseline/https-client.ts'), { execArgv: [] });
  const ended = once(child, 'exit');
  const ask = async (message: object) => {
    child.send(message);
    const [answer] = await Promise.race([
      once(child, 'message'),
      ended.then(() => {
        throw new Error('the bare client has ended');
      }),
    ]);
    return answer;
  };
  await ask(setup);
  return {
    pid: child.pid ?? 0,
    run: ask,
    async close() {
      child.kill();
      await ended;
    },
  };
}
