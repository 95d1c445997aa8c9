import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What stands before a control plane, and sees what is asked of it. */
export interface WatchedEndpoint {
  /** `http://127.0.0.1:PORT`, in the place of the control plane's own. */
  readonly url: string;
  /**
   * Waits until the control plane has done what a request asks for: the first one from now on that `pattern` matches, or
   * a later one by its number. Whoever asked never hears of it: this request gets no answer.
   */
  done(pattern: RegExp, number?: number): Promise<void>;
  close(): void;
}

/** Starts one before the HTTP server at `target`. */
export async function watchEndpoint(target: string): Promise<WatchedEndpoint> {
  const { hostname, port } = new URL(target);
  let awaited: { readonly pattern: RegExp; number: number; readonly resolve: () => void } | undefined;

  async function forward(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await bodyOf(incoming);
    // with its Host header: buckets are named there
    const { method, url: path = '/', rawHeaders: headers } = incoming;
    const onward = httpRequest({ hostname, port, method, path, headers, agent: false });
    onward.end(body);
    const [answer]: IncomingMessage[] = await once(onward, 'response');
    if (answer === undefined) return;
    const text = await bodyOf(answer);
    const line = `${method} ${path} ${body.toString('latin1')}`;
    if (awaited?.pattern.test(line)) awaited.number -= 1;
    if (awaited?.number === 0) {
      awaited.resolve();
      awaited = undefined;
      return;
    }
    outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders).end(text);
  }

  const server = createServer((incoming, outgoing) => {
    // a client that was killed, or a control plane that is gone: neither is this one's matter
    forward(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    done: async (pattern, number = 1) =>
      await new Promise((resolve) => (awaited = { pattern, number, resolve })),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
