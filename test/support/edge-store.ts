import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A KV namespace of lists and databases for raw workerd: only read by it, and of any bytes. */
export interface EdgeStore {
  readonly port: number;
  put(key: string, value: string | Uint8Array, metadata: object): void;
  /** Every read from now on fails, or works again. */
  broken: boolean;
  close(): Promise<void>;
}

/** Starts a server of the protocol by which workerd reads KV (src/workerd/api/kv.c++), as ./kv-server.ts, for bytes. */
export async function startEdgeStore(): Promise<EdgeStore> {
  const entries = new Map<string, { value: string | Uint8Array; metadata: string }>();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://kv.invalid');
    const entry = entries.get(decodeURIComponent(pathname.slice(1)));
    if (store.broken) response.writeHead(500).end();
    else if (entry === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'cf-kv-metadata': entry.metadata }).end(entry.value);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const store: EdgeStore = {
    port: (server.address() as AddressInfo).port,
    put: (key, value, metadata) => void entries.set(key, { value, metadata: JSON.stringify(metadata) }),
    broken: false,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return store;
}
