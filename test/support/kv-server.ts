import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A KV namespace for raw workerd, which speaks HTTP to it. */
export interface KVServer {
  readonly port: number;
  /** What lies in it, by key, with the lifetime that was asked for. */
  readonly entries: ReadonlyMap<string, KVEntry>;
  /** Every request from now on fails, or works again. */
  broken: boolean;
  close(): Promise<void>;
}

/** One key's value. */
export interface KVEntry {
  readonly value: string;
  /** JSON text; empty: none. */
  readonly metadata: string;
  readonly ttlS: number | undefined;
}

/**
 * Starts a server of the protocol by which workerd reaches KV (src/workerd/api/kv.c++): a key is the path, metadata
 * travels in CF-KV-Metadata, a list is the path `/`. Strongly consistent, and nothing expires by itself.
 */
export async function startKV(): Promise<KVServer> {
  const entries = new Map<string, KVEntry>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://kv.invalid');
    const key = decodeURIComponent(url.pathname.slice(1));
    if (served.broken) response.writeHead(500).end();
    else if (request.method === 'PUT') {
      void text(request).then((value) => {
        const ttl = url.searchParams.get('expiration_ttl');
        const metadata = String(request.headers['cf-kv-metadata'] ?? '');
        entries.set(key, { value, metadata, ttlS: ttl === null ? undefined : Number(ttl) });
        response.end();
      });
    } else if (request.method === 'DELETE') {
      entries.delete(key);
      response.end();
    } else if (key === '') response.end(JSON.stringify(list(entries, url.searchParams)));
    else {
      const entry = entries.get(key);
      if (entry === undefined) response.writeHead(404).end();
      else response.writeHead(200, { 'cf-kv-metadata': entry.metadata }).end(entry.value);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const served: KVServer = {
    port,
    entries,
    broken: false,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return served;
}

function list(entries: ReadonlyMap<string, KVEntry>, asked: URLSearchParams) {
  const limit = Number(asked.get('key_count_limit') ?? 1000);
  const after = asked.get('cursor') ?? '';
  const names = [...entries.keys()]
    .filter((key) => key.startsWith(asked.get('prefix') ?? '') && key > after)
    .sort();
  const page = names.slice(0, limit);
  return {
    keys: page.map((name) => {
      const metadata = entries.get(name)?.metadata ?? '';
      return metadata === '' ? { name } : { name, metadata: JSON.parse(metadata) as unknown };
    }),
    list_complete: names.length <= limit,
    ...(names.length > limit ? { cursor: page.at(-1) } : {}),
  };
}
