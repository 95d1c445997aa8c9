import { createServer, type Server, type Socket } from 'node:net';
import { PluginError } from '../../../proto/error.ts';
import type { Environment } from './environment.ts';
import { createSocketPlace } from './socket-place.ts';

/** An open door for the host. */
export interface Listener {
  readonly network: 'unix' | 'tcp';
  /** As the handshake line tells it. */
  readonly address: string;
  readonly sockets: ReadonlySet<Socket>;
  /** Stops listening and ends every connection. */
  close(): void;
  /** Removes what the socket left in the file system. Never throws. */
  remove(): void;
}

/**
 * Listens where the host expects it: on a unix socket, or on Windows on a loopback port between
 * PLUGIN_MIN_PORT and PLUGIN_MAX_PORT.
 *
 * Throws INPUT_INVALID when there is no place for the socket or no free port.
 */
export async function listen(
  env: Environment,
  onConnection: (socket: Socket) => void,
  network: 'unix' | 'tcp' = process.platform === 'win32' ? 'tcp' : 'unix',
): Promise<Listener> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // Its user below handles errors once TLS has taken it over; a reset before that must not be uncaught.
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  if (network === 'tcp') {
    const port = await listenOnPort(server, env);
    return { network, address: `127.0.0.1:${port}`, sockets, close, remove: () => undefined };
  }
  const place = createSocketPlace(env);
  try {
    await bind(server, { path: place.path });
    place.share();
  } catch (cause) {
    server.close();
    place.remove();
    throw new PluginError('INPUT_INVALID', {
      happened: `the socket ${place.path} cannot be opened (${(cause as NodeJS.ErrnoException).code})`,
      expected: 'a folder that holds sockets, and a group that this user belongs to',
      remedy: 'Set TMPDIR to another folder, or PLUGIN_UNIX_SOCKET_GROUP to a group of this user.',
      cause,
    });
  }
  return { network, address: place.path, sockets, close, remove: place.remove };
}

function bind(server: Server, where: { path: string } | { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function listenOnPort(server: Server, env: Environment): Promise<number> {
  const lowest = Number(env['PLUGIN_MIN_PORT'] || 0);
  const highest = Number(env['PLUGIN_MAX_PORT'] || lowest);
  for (let port = lowest; port <= highest; port++) {
    try {
      await bind(server, { host: '127.0.0.1', port });
      const bound = server.address();
      return typeof bound === 'object' && bound !== null ? bound.port : port;
    } catch {
      // Taken: the next one.
    }
  }
  throw new PluginError('INPUT_INVALID', {
    happened: `no port from ${lowest} to ${highest} of 127.0.0.1 is free`,
    expected: 'a free one between PLUGIN_MIN_PORT and PLUGIN_MAX_PORT',
    remedy: 'Widen the range in the host.',
  });
}
