import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createAdaptorServer, type ServerType } from '@hono/node-server';
import { nodeCrypto, nodeSigningKey, nodeVerifyingKey } from '../../proto/signature/node.ts';
import { createFetch } from './define.ts';
import type { Plugin } from './plugin.ts';

/** Where a Node server listens, and with what settings. */
export interface ServeOptions<Env> {
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Absent: 127.0.0.1, since TLS is mostly another program's work. */
  readonly host?: string;
  /** PEM texts; absent: plain HTTP, for a TLS proxy on the same machine (then set PLUGIN_URL). */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** The settings and whatever the handlers read from `env`; absent: `process.env`. */
  readonly env?: Env;
}

/** A plugin that is being served. */
export interface Served {
  /** `https://127.0.0.1:8443`, without a trailing slash. */
  readonly url: string;
  /** Stops listening and waits for the calls in flight and for `waitUntil` work. */
  close(): Promise<void>;
}

/**
 * Serves a plugin from Node, for targets of kind `https`.
 *
 * ```ts
 * import { serve } from 'sftpgo-plugin-serverless/kit/node';
 * import plugin from './office.ts';
 *
 * const served = await serve(plugin, { port: 8443, tls: { cert, key } });
 * ```
 *
 * Rejects with Node's own error (EADDRINUSE, …) when it cannot listen.
 */
export async function serve<Env>(plugin: Plugin<Env>, options: ServeOptions<Env> = {}): Promise<Served> {
  const { port = 0, host = '127.0.0.1', tls } = options;
  // spread: process.env is a live view, and a call must not see half a change
  const env = (options.env ?? { ...process.env }) as Env;
  const fetch = createFetch(plugin.definition, {
    crypto: nodeCrypto,
    signingKey: nodeSigningKey,
    verifyingKey: nodeVerifyingKey,
  });
  const background = new Set<Promise<unknown>>();
  const platform = {
    waitUntil(work: Promise<unknown>) {
      background.add(work);
      void work.finally(() => background.delete(work));
    },
  };
  const server = createAdaptorServer({
    fetch: (request) => fetch(request, env, platform),
    overrideGlobalObjects: false,
    ...(tls === undefined
      ? { createServer: createHttpServer, serverOptions: limits }
      : { createServer: createHttpsServer, serverOptions: { ...limits, ...tls } }),
  });
  await listen(server, port, host);
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        // close() waits for connections that are kept alive without a request
        if ('closeIdleConnections' in server) server.closeIdleConnections();
      });
      await Promise.all(background);
    },
  };
}

/** A slow sender must not hold a connection: a call's whole request is small and arrives at once. */
const limits = { requestTimeout: 30_000, headersTimeout: 10_000, connectionsCheckingInterval: 5_000 };

function listen(server: ServerType, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
