import { lstat, unlink } from 'node:fs/promises';
import { createConnection } from 'node:net';

/**
 * Removes a unix socket that nobody listens on: its process was killed. One that answers, and anything that is no
 * socket (to which a connection is refused just the same), is left alone.
 */
export async function removeDeadSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket() !== true) return;
  const code = await new Promise<string | undefined>((resolve) => {
    const socket = createConnection(path, () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  });
  if (code === 'ECONNREFUSED') await unlink(path).catch(() => undefined);
}
