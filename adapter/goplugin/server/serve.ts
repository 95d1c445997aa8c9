import { writeSync } from 'node:fs';
import { Server } from '@grpc/grpc-js';
import { GRPCController } from '../../../proto/gen/goplugin/controller_pb.ts';
import { within } from '../within.ts';
import { checkCookie, type MagicCookie } from './cookie.ts';
import type { Environment } from './environment.ts';
import { handshakeLine } from './handshake-line.ts';
import type { HclogWriter } from './hclog.ts';
import { HealthService } from './health.ts';
import { InFlight } from './in-flight.ts';
import { type Listener, listen } from './listen.ts';
import { serverIdentity } from './mutual-tls.ts';
import { ownProcess } from './process/own-process.ts';
import { largestReceiveBytes, registerService } from './register.ts';
import { implement, type ServiceImplementation } from './service.ts';
import { registerSilentStreams } from './silent-streams.ts';
import { negotiateVersion } from './versions.ts';

export type { ServiceImplementation, UnaryCall } from './service.ts';

/** Why a plugin's server ended: the host asked, nobody ever came, or {@link PluginServer.close} was called. */
export type EndReason = 'shutdown' | 'abandoned' | 'closed';

export interface ServeOptions {
  readonly cookie: MagicCookie;
  /** The application protocol versions that `services` speak. */
  readonly versions: readonly number[];
  readonly services: readonly ServiceImplementation[];
  readonly log: HclogWriter;
  /** Default `process.env`. */
  readonly env?: Environment;
  /** What must be stored before the process ends; awaited before the host's Shutdown is answered. */
  onShutdown?(): Promise<void>;
  /** How long a Shutdown, which has no deadline, may be held up: half of it by calls in flight. Default 10 s. */
  readonly shutdownMaxMs?: number;
  /** End as `abandoned` when no connection came this long after the line. Default 90 s. */
  readonly firstConnectionMaxMs?: number;
  /** Prints the handshake line. Default: straight to file descriptor 1. */
  announce?(line: string): void;
  /** Default: `tcp` on Windows, else `unix`. */
  readonly network?: 'unix' | 'tcp';
  /** True in a process that is nothing but this plugin: see {@link ownProcess}. Default false. */
  readonly ownProcess?: boolean;
}

/** A plugin that has told its host where it listens. */
export interface PluginServer {
  /** The negotiated application version. */
  readonly version: number;
  readonly network: 'unix' | 'tcp';
  readonly address: string;
  /** Did the host ask for AutoMTLS? */
  readonly mutualTls: boolean;
  /** Resolves when the server has ended, after the last answer went out. */
  readonly done: Promise<EndReason>;
  /** What Health says of the service `plugin`. True from the start. */
  setServing(serving: boolean): void;
  /** Lets no new call in, waits for those in flight, then runs `onShutdown`, once; at most `maxMs`. Never rejects. */
  drain(maxMs: number): Promise<void>;
  /** Ends every connection and removes the socket. */
  close(): void;
}

/** After the answer to Shutdown the host closes its connection; one that does not is not waited for. */
const goodbyeMaxMs = 500;

/**
 * Serves a plugin as go-plugin's `Serve` does: cookie, version, certificate, services, socket, and then the one
 * line on stdout. Without `ownProcess` it touches nothing else of the process.
 *
 * Throws HOST_REFUSED (not started by a host; a bad PLUGIN_CLIENT_CERT) and INPUT_INVALID (no place for the
 * socket), both before anything is printed.
 *
 * ```ts
 * await serve({
 *   cookie: { name: 'GREETER', value: 'hello' }, versions: [1], log: new HclogWriter(), ownProcess: true,
 *   services: [implement(Greeter, { greet: async ({ input }) => ({ text: `Hello ${input.name}` }) })],
 * });
 * ```
 */
export async function serve(options: ServeOptions): Promise<PluginServer> {
  checkCookie(options.env ?? process.env, options.cookie);
  if (options.ownProcess !== true) return await start(options);
  const owner = ownProcess({ log: options.log });
  try {
    const server = await start(options);
    owner.follow(server);
    return server;
  } catch (error) {
    owner.release();
    throw error;
  }
}

async function start(options: ServeOptions): Promise<PluginServer> {
  const { env = process.env, log, services } = options;
  const version = negotiateVersion(options.versions, env['PLUGIN_PROTOCOL_VERSIONS']);
  const identity = serverIdentity(env['PLUGIN_CLIENT_CERT']);

  const grpc = new Server({
    'grpc.max_receive_message_length': largestReceiveBytes(services),
    'grpc.max_send_message_length': -1,
    'grpc.enable_channelz': 0,
  });
  const inFlight = new InFlight();
  const health = new HealthService();
  const { promise: done, resolve: end } = Promise.withResolvers<EndReason>();
  for (const service of services) registerService(grpc, service, { log, inFlight });
  // Of its own: it must be answered while the others are refused, and must not wait for itself.
  registerService(grpc, controller(), { log, inFlight: new InFlight() });
  health.register(grpc, { log, inFlight });
  registerSilentStreams(grpc);

  let abandoned: NodeJS.Timeout | undefined;
  const injector = grpc.createConnectionInjector(identity.credentials);
  const listener = await listen(
    env,
    (socket) => {
      clearTimeout(abandoned);
      injector.injectConnection(socket);
    },
    options.network,
  );

  let closed = false;
  const close = (reason: EndReason) => {
    if (closed) return;
    closed = true;
    clearTimeout(abandoned);
    grpc.forceShutdown();
    listener.close();
    listener.remove();
    end(reason);
  };
  let drained: Promise<void> | undefined;
  const drain = (maxMs: number) => {
    drained ??= drainOnce(maxMs);
    return drained;
  };
  // Calls first, each may leave something to store; they get half of the time, so that storing gets its own.
  const drainOnce = async (maxMs: number) => {
    const calls = await within(maxMs / 2, inFlight.close());
    if (calls === undefined) log.warn('calls were still going on at the end', { maxMs: maxMs / 2 });
    try {
      const stored = await within(maxMs / 2, Promise.resolve(options.onShutdown?.()));
      if (stored === undefined)
        log.error('not everything was stored in time for the end', { maxMs: maxMs / 2 });
    } catch (error) {
      log.error('not everything was stored before the end', { error });
    }
  };

  function controller(): ServiceImplementation {
    return implement(GRPCController, {
      shutdown: async () => {
        log.debug('the host asked for the end');
        await drain(options.shutdownMaxMs ?? 10_000);
        void connectionsEnd(listener).then(() => close('shutdown'));
        return {};
      },
    });
  }

  abandoned = setTimeout(() => {
    log.error('no host ever connected: the one that started this plugin is gone');
    close('abandoned');
  }, options.firstConnectionMaxMs ?? 90_000);
  abandoned.unref();

  const announce = options.announce ?? ((line: string) => void writeSync(1, line));
  announce(
    handshakeLine({
      version,
      network: listener.network,
      address: listener.address,
      certificate: identity.certificate,
      multiplexAsked: (env['PLUGIN_MULTIPLEX_GRPC'] ?? '') !== '',
    }),
  );
  return {
    version,
    network: listener.network,
    address: listener.address,
    mutualTls: identity.certificate !== undefined,
    done,
    setServing: (serving) => health.setServing(serving),
    drain,
    close: () => close('closed'),
  };
}

/** Resolves when the host has closed its connections, or after a moment. */
async function connectionsEnd({ sockets }: Listener): Promise<void> {
  const closed = [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  await within(goodbyeMaxMs, Promise.all(closed));
}
