import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, request } from 'node:https';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type Line, onLine } from './line.ts';

/** A certificate with its key, PEM. */
export interface Identity {
  readonly certPem: string;
  readonly keyPem: string;
}

/** An answer as HTTP sees it. */
export interface WholeAnswer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** The connection is closed after so many bytes of the body. */
  readonly cutAfterBytes?: number;
}

/** What is wrong between adapter and function. */
export type Fault =
  /** On the line: bytes of TLS, which the proxy cannot read. Connections stay as they are. */
  | Line
  /** Another certificate than the function's, or no TLS at all. */
  | { readonly kind: 'certificate'; readonly present: Identity | 'plain http' }
  /** Somebody who has the function's certificate, as a CDN has, but not its key: gets the answer, gives another one. */
  | { readonly kind: 'answer'; readonly give: (honest: WholeAnswer) => WholeAnswer };

/** Stands between an adapter and a function that speaks TLS. */
export interface FaultProxy {
  readonly port: number;
  /** Port of the function on 127.0.0.1. */
  upstream: number;
  /** Connections that were opened to the proxy. */
  readonly connections: number;
  /** From now on, for open connections as well; undefined: none. Resolves when it is in force. */
  set(fault: Fault | undefined): Promise<void>;
  /** Closes every connection in good order, so that the next call opens one. */
  drop(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts a proxy before a function whose certificate is `identity`. Without a fault, bytes pass through.
 *
 * ```ts
 * const proxy = await startFaultProxy(identity);
 * proxy.upstream = 8443;
 * await proxy.set({ kind: 'latency', ms: 200, jitterMs: 50 });
 * ```
 */
export async function startFaultProxy(identity: Identity): Promise<FaultProxy> {
  const ends: Server[] = [];
  const open = new Set<{ readonly client: Socket; readonly server: Socket; readonly port: number }>();
  let fault: Fault | undefined;
  /** Where new connections lead. */
  let port = 0;
  let connections = 0;

  const front = createServer({ allowHalfOpen: true }, (client) => {
    connections += 1;
    const server = connect({
      port: port === 0 ? proxy.upstream : port,
      host: '127.0.0.1',
      allowHalfOpen: true,
    });
    const pair = { client, server, port };
    open.add(pair);
    client.on('close', () => {
      open.delete(pair);
      server.destroy();
    });
    onLine(client, server, () =>
      fault === undefined || fault.kind === 'certificate' || fault.kind === 'answer' ? undefined : fault,
    );
  });

  /** A server of the proxy's own that ends TLS, or has none. */
  async function terminal(
    present: Identity | 'plain http',
    give: (honest: WholeAnswer) => WholeAnswer,
  ): Promise<number> {
    const listener = (incoming: IncomingMessage, outgoing: ServerResponse) => {
      answer(incoming, outgoing, give).catch(() => incoming.socket.destroy());
    };
    const server =
      present === 'plain http'
        ? createHttpServer(listener)
        : createHttpsServer({ cert: present.certPem, key: present.keyPem }, listener);
    ends.push(server);
    return await listen(server);
  }

  async function answer(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    give: (honest: WholeAnswer) => WholeAnswer,
  ): Promise<void> {
    const { status, headers, body, cutAfterBytes } = give(await forward(incoming));
    outgoing.writeHead(status, [...headers]);
    if (cutAfterBytes === undefined) outgoing.end(body);
    else outgoing.write(body.subarray(0, cutAfterBytes), () => outgoing.destroy());
  }

  async function forward(incoming: IncomingMessage): Promise<WholeAnswer> {
    const body = Buffer.concat(await incoming.toArray());
    return await new Promise((resolve, reject) => {
      const { method = 'POST', url: path = '/', rawHeaders } = incoming;
      const to = { host: '127.0.0.1', port: proxy.upstream, method, path, headers: rawHeaders };
      const outgoing = request(
        { ...to, ca: identity.certPem, servername: 'localhost', agent: false },
        (got) => {
          got.toArray().then(
            (chunks) =>
              resolve({
                status: got.statusCode ?? 0,
                headers: got.rawHeaders,
                body: Buffer.concat(chunks),
              }),
            reject,
          );
        },
      );
      outgoing.on('error', reject).end(body);
    });
  }

  async function drop(leave: (pair: { readonly port: number }) => boolean): Promise<void> {
    await Promise.all(
      [...open].filter(leave).map(({ client }) => {
        const closed = new Promise((resolve) => client.once('close', resolve));
        client.end();
        return closed;
      }),
    );
  }

  const proxy: FaultProxy = {
    port: await listen(front),
    upstream: 0,
    get connections() {
      return connections;
    },
    async set(next) {
      const leads =
        next?.kind === 'certificate'
          ? await terminal(next.present, (honest) => honest)
          : next?.kind === 'answer'
            ? await terminal(identity, next.give)
            : 0;
      fault = next;
      port = leads;
      await drop((pair) => pair.port !== leads);
    },
    drop: () => drop(() => true),
    async close() {
      for (const { client } of open) client.destroy();
      await Promise.all([front, ...ends].map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
  return proxy;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
