import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Worker } from './cloudflare-api/account.ts';
import { type Edge, startEdge } from './cloudflare-api/edge.ts';
import { ApiError, apiErrors, envelope } from './cloudflare-api/envelope.ts';
import { Namespaces } from './cloudflare-api/kv.ts';
import { route } from './cloudflare-api/routes.ts';
import { telemetry } from './cloudflare-api/telemetry.ts';

export type { Upload, Version } from './cloudflare-api/account.ts';
export { ApiError, apiErrors } from './cloudflare-api/envelope.ts';

const base = '/client/v4';

/** An API, an account, and a network that runs what was uploaded. */
export interface Cloudflare {
  /** What CLOUDFLARE_API_BASE_URL and `cloudflare.endpoint` take: http, of this machine, with `/client/v4`. */
  readonly url: string;
  readonly account: string;
  /** May do everything. */
  readonly token: string;
  /** May only read: writing is answered with 403. */
  readonly readToken: string;
  readonly workers: ReadonlyMap<string, Worker>;
  /** `METHOD path?query` of every request, in order, answered or not. */
  readonly requests: readonly string[];
  /** Where a Worker answers; its edge is started at the first time. */
  urlOf(name: string): Promise<string>;
  /** What a Worker's versions wrote in workerd. */
  output(name: string): string;
  /**
   * From now on every request gets this error, is cut (`'cut'`), or is answered (undefined). With `path`, only
   * requests whose path has it.
   */
  fail(how: ApiError | 'cut' | undefined, path?: string): void;
  close(): Promise<void>;
}

/**
 * Starts a server in the shape of Cloudflare's public OpenAPI for Workers and KV
 * (https://developers.cloudflare.com/api/resources/workers/), written from that description: it has never been
 * compared with the live API. What is uploaded to it really runs, in workerd, behind one address per Worker.
 *
 * `tls`: the certificate of those addresses (`localhost`); absent: plain HTTP.
 */
export async function startCloudflare(
  options: {
    tls?: { readonly certPem: string; readonly keyPem: string };
    subdomain?: string;
    account?: string;
  } = {},
): Promise<Cloudflare> {
  const { tls, subdomain = 'acme', account = randomBytes(16).toString('hex') } = options;
  const token = randomBytes(20).toString('base64url');
  const readToken = randomBytes(20).toString('base64url');
  const workers = new Map<string, Worker>();
  const namespaces = new Namespaces();
  const edges = new Map<string, Promise<Edge>>();
  const outputs = new Map<string, Edge>();
  const requests: string[] = [];
  let failure: { how: ApiError | 'cut'; path: string } | undefined;

  async function answer(request: IncomingMessage): Promise<unknown> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const method = request.method ?? 'GET';
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (given !== token && given !== readToken) throw apiErrors.unauthenticated();
    if (given === readToken && method !== 'GET' && !url.pathname.endsWith('/query'))
      throw apiErrors.forbidden();
    const path = url.pathname.slice(base.length);
    const own = ownRoutes[`${method} ${path}`];
    if (own !== undefined) return own;
    const prefix = `/accounts/${account}`;
    if (path === `${prefix}/workers/observability/telemetry/query`) {
      return telemetry(
        JSON.parse(Buffer.concat(chunks).toString()),
        (name) => outputs.get(name)?.output() ?? '',
      );
    }
    if (!url.pathname.startsWith(base)) throw apiErrors.noRoute();
    if (!path.startsWith(`${prefix}/`)) throw apiErrors.forbidden();
    return await route(method, path.slice(prefix.length), {
      workers,
      namespaces,
      account,
      subdomain,
      query: url.searchParams,
      contentType: request.headers['content-type'] ?? '',
      body: Buffer.concat(chunks),
    });
  }
  const ownRoutes: Readonly<Record<string, unknown>> = {
    'GET /user/tokens/verify': { id: 'token', status: 'active' },
    'GET /user': { id: 'user', email: 'deployer@example.com' },
    'GET /accounts': [{ id: account, name: 'test account' }],
    'GET /memberships': [{ id: 'member', account: { id: account, name: 'test account' } }],
  };

  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    requests.push(`${request.method} ${request.url?.slice(base.length)}`);
    const failing = failure !== undefined && request.url?.includes(failure.path) ? failure.how : undefined;
    if (failing === 'cut') return void request.socket.destroy();
    try {
      if (failing !== undefined) throw failing;
      send(response, 200, envelope(await answer(request)));
    } catch (error) {
      const known =
        error instanceof ApiError
          ? error
          : new ApiError(500, 10000, `the test server failed: ${String(error)}`);
      send(response, known.status, envelope(null, [{ code: known.code, message: known.message }]));
    }
  };
  const server = createServer((request, response) => void listener(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${base}`,
    account,
    token,
    readToken,
    workers,
    requests,
    async urlOf(name) {
      const edge = edges.get(name) ?? startEdge(() => workers.get(name), { name, tls, namespaces });
      edges.set(name, edge);
      outputs.set(name, await edge);
      return (await edge).url;
    },
    output: (name) => outputs.get(name)?.output() ?? '',
    fail(how, path = '') {
      failure = how === undefined ? undefined : { how, path };
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await Promise.all([...edges.values()].map(async (edge) => (await edge).close()));
      await namespaces.close();
    },
  };
}

function send(response: ServerResponse, status: number, body: string): void {
  const retry = status === 429 ? { 'retry-after': '1' } : {};
  response.writeHead(status, { 'content-type': 'application/json', ...retry }).end(body);
}
