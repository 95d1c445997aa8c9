import { chmod } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { Log } from '../invoke/connection.ts';
import { removeDeadSocket } from './dead-socket.ts';
import { type ListenAddress, parseListenAddress } from './listen-address.ts';
import { prometheusText, prometheusType } from './prometheus.ts';
import type { Metrics } from './registry.ts';

/** SFTPGo's `resetpwd` starts a second process of the role for a moment: then the place is taken until it ends. */
const againMs = 15_000;
/** The owner and the group: a scraper joins the group. */
const socketMode = 0o660;

/**
 * Serves figures at `/metrics` over HTTP, on a loopback port or a unix socket. Never fails the role: a place that is
 * taken is a WARN line, and is tried again. Returns what ends it.
 */
export function exposeMetrics(listen: string, metrics: Metrics, log: Log, retryMs = againMs): () => void {
  const address = parseListenAddress(listen);
  let server: Server | undefined;
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  let warned = false;
  const begin = async (): Promise<void> => {
    if (address === undefined || ended) return;
    try {
      server = await open(address, () => prometheusText(metrics.samples()));
      if (ended) server.close();
      else if (warned) log.info('figures are served now', { listen });
    } catch (error) {
      if (!warned)
        log.warn('figures cannot be served', { listen, error: Object(error).code ?? String(error) });
      warned = true;
      timer = setTimeout(() => void begin(), retryMs);
      timer.unref();
    }
  };
  void begin();
  return () => {
    ended = true;
    clearTimeout(timer);
    server?.close();
    server?.closeAllConnections();
  };
}

async function open(address: ListenAddress, text: () => string): Promise<Server> {
  const { createServer } = await import('node:http');
  const server = createServer((request, response) => {
    const found = request.method === 'GET' && request.url?.split('?')[0] === '/metrics';
    response.writeHead(found ? 200 : 404, { 'content-type': found ? prometheusType : 'text/plain' });
    response.end(found ? text() : 'GET /metrics\n');
  });
  server.requestTimeout = 5000;
  server.maxConnections = 16;
  if ('path' in address) await removeDeadSocket(address.path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => resolve());
  });
  server.on('error', () => undefined);
  // the role ends when its host is gone, whoever scrapes
  server.unref();
  if ('path' in address) {
    await chmod(address.path, socketMode).catch((error: unknown) => {
      server.close();
      throw error;
    });
  }
  return server;
}
