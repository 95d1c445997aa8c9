import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';

interface Answer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** What the man in the middle does to answers. */
export type Tampering = 'none' | 'flip-a-byte' | 'replay';

export interface TamperProxy {
  readonly url: string;
  /** Where calls go: the URL of a function. */
  upstream: string;
  tampering: Tampering;
  close(): Promise<void>;
}

/** A TLS-terminating man in the middle whose certificate the adapter trusts: all it lacks is the function's key. */
export async function startTamperProxy(tls: { certPem: string; keyPem: string }): Promise<TamperProxy> {
  let recorded: Answer | undefined;
  const server = createServer({ cert: tls.certPem, key: tls.keyPem }, async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    let answer = await forward(
      proxy.upstream,
      incoming.url ?? '/',
      incoming.rawHeaders,
      Buffer.concat(chunks),
    );
    if (proxy.tampering === 'replay' && recorded) answer = recorded;
    recorded ??= answer;
    const body = Buffer.from(answer.body);
    if (proxy.tampering === 'flip-a-byte') body[0] = (body[0] ?? 0) ^ 1;
    outgoing.writeHead(answer.status, [...answer.headers]);
    outgoing.end(body);
  });

  async function forward(
    upstream: string,
    path: string,
    headers: readonly string[],
    body: Buffer,
  ): Promise<Answer> {
    return await new Promise((resolve, reject) => {
      const outgoing = request(
        new URL(path, upstream),
        { method: 'POST', ca: tls.certPem, headers: [...headers] },
        async (answer) => {
          const chunks: Buffer[] = [];
          for await (const chunk of answer) chunks.push(chunk);
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.rawHeaders,
            body: Buffer.concat(chunks),
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: TamperProxy = {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    upstream: '',
    tampering: 'none',
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
