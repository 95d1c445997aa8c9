import { createServer, type OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A KV namespace of lists and databases for raw workerd: only read by it, and of any bytes. */
export interface EdgeStore {
  readonly port: number;
  /** `metadata`: any JSON; absent: none. */
  put(key: string, value: string | Uint8Array, metadata?: unknown): void;
  /** Every read from now on fails, or works again. */
  broken: boolean;
  close(): Promise<void>;
}

/** Starts a server of the protocol by which workerd reads KV (src/workerd/api/kv.c++), as ./kv-server.ts, for bytes. */
export async function startEdgeStore(): Promise<EdgeStore> {
  const entries = new Map<string, { value: string | Uint8Array; headers: OutgoingHttpHeaders }>();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://kv.invalid');
    const entry = entries.get(decodeURIComponent(pathname.slice(1)));
    if (store.broken) response.writeHead(500).end();
    else if (entry === undefined) response.writeHead(404).end();
    else response.writeHead(200, entry.headers).end(entry.value);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const store: EdgeStore = {
    port: (server.address() as AddressInfo).port,
    put(key, value, metadata) {
      const headers = metadata === undefined ? {} : { 'cf-kv-metadata': JSON.stringify(metadata) };
      entries.set(key, { value, headers });
    },
    broken: false,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return store;
}
