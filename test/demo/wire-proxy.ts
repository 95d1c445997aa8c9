import { appendFileSync } from 'node:fs';
import { createServer as createHttpServer, request as httpRequest, type RequestListener } from 'node:http';
import { createServer as createHttpsServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';

interface Answer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** What the man in the middle does to answers of functions. */
export type Tampering = 'none' | 'flip-a-byte' | 'replay';

/** A man in the middle that the adapter trusts as far as TLS goes: all it lacks are the functions' keys. */
export interface WireProxy {
  readonly url: string;
  /** Where requests go. */
  upstream: string;
  tampering: Tampering;
  close(): Promise<void>;
}

export interface WireProxyOptions {
  readonly upstream?: string;
  /** Its certificate and key; absent: plain http. */
  readonly tls?: { readonly certPem: string; readonly keyPem: string };
  /** File to which every exchange is appended, a JSON object a line. */
  readonly logFile: string;
}

/** Lambda's Invoke carries the function's HTTP message as JSON, its body in base64. */
const isInvoke = (path: string): boolean => path.includes('/invocations');

function openEnvelope(path: string, body: Buffer): { text: string; open?: Record<string, unknown> } {
  if (!isInvoke(path)) return { text: body.toString() };
  const open: Record<string, unknown> = JSON.parse(body.toString());
  const inner = typeof open['body'] === 'string' ? open['body'] : '';
  return { text: Buffer.from(inner, open['isBase64Encoded'] ? 'base64' : 'utf8').toString(), open };
}

/** The answer with one byte of the function's own body changed. */
function flipped(path: string, answer: Answer): Answer {
  const { text, open } = openEnvelope(path, answer.body);
  const inner = Buffer.from(text);
  inner[0] = (inner[0] ?? 0) ^ 1;
  const body = open
    ? Buffer.from(JSON.stringify({ ...open, body: inner.toString('base64'), isBase64Encoded: true }))
    : inner;
  const headers = answer.headers.map((value, index, all) =>
    all[index - 1]?.toLowerCase() === 'content-length' && index % 2 === 1 ? String(body.length) : value,
  );
  return { ...answer, headers, body };
}

/** Starts the proxy on a free port of 127.0.0.1. */
export async function startWireProxy(options: WireProxyOptions): Promise<WireProxy> {
  const recorded = new Map<string, Answer>();

  const listener: RequestListener = async (incoming, outgoing) => {
    const path = incoming.url ?? '/';
    const body = Buffer.concat(await incoming.toArray());
    const honest = await forward(proxy.upstream, incoming.method ?? 'POST', path, incoming.rawHeaders, body);
    let answer = honest;
    // Lambda has one path for all RPCs of a function: what was asked tells them apart
    const key = `${path} ${isInvoke(path) ? String(openEnvelope(path, body).open?.['rawPath']) : ''}`;
    if (proxy.tampering === 'replay') answer = recorded.get(key) ?? honest;
    recorded.set(key, recorded.get(key) ?? honest);
    if (proxy.tampering === 'flip-a-byte' && (isInvoke(path) || options.tls)) answer = flipped(path, honest);
    const exchange = { path, request: openEnvelope(path, body), answer: openEnvelope(path, answer.body) };
    appendFileSync(options.logFile, `${JSON.stringify({ ...exchange, headers: incoming.headers })}\n`);
    outgoing.writeHead(answer.status, [...answer.headers]);
    outgoing.end(answer.body);
  };
  const server = options.tls
    ? createHttpsServer({ cert: options.tls.certPem, key: options.tls.keyPem }, listener)
    : createHttpServer(listener);

  async function forward(
    upstream: string,
    method: string,
    path: string,
    headers: readonly string[],
    body: Buffer,
  ): Promise<Answer> {
    const request = upstream.startsWith('https:') ? httpsRequest : httpRequest;
    return await new Promise((resolve, reject) => {
      const ca = options.tls === undefined ? {} : { ca: options.tls.certPem };
      const outgoing = request(
        new URL(path, upstream),
        { method, headers: [...headers], ...ca },
        (answer) => {
          answer.toArray().then(
            (chunks) =>
              resolve({
                status: answer.statusCode ?? 0,
                headers: answer.rawHeaders,
                body: Buffer.concat(chunks),
              }),
            reject,
          );
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const scheme = options.tls ? 'https' : 'http';
  const proxy: WireProxy = {
    url: `${scheme}://localhost:${(server.address() as AddressInfo).port}`,
    upstream: options.upstream ?? '',
    tampering: 'none',
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
