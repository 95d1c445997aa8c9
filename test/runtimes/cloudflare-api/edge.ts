import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import {
  Agent,
  createServer as createHttpServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { startWorkerd, type Workerd } from '../workerd.ts';
import { type Binding, shown, type Version, type Worker } from './account.ts';
import type { Namespaces } from './kv.ts';

const protoHeader = 'x-forwarded-proto';

export interface Edge {
  /** Where the Worker answers, without a trailing slash. */
  readonly url: string;
  /** What its versions and workerd wrote, all of them. */
  output(): string;
  close(): Promise<void>;
}

/**
 * What Cloudflare's network is to one Worker: ends TLS, gives each request to a version by the deployment's
 * percentages, and runs that version in workerd with its own modules and bindings. A host name
 * `<first 8 of a version id>-<name>.…` leads to that version alone, if the Worker has preview URLs.
 *
 * Text, JSON, secret and version_metadata bindings are real, and KV namespaces that the account has; others are kept in
 * the version and not bound.
 */
export async function startEdge(
  uploaded: () => Worker | undefined,
  {
    name,
    tls,
    namespaces,
  }: {
    name: string;
    tls: { certPem: string; keyPem: string } | undefined;
    namespaces: Pick<Namespaces, 'portOf'>;
  },
): Promise<Edge> {
  const running = new Map<string, Promise<Workerd>>();
  const agent = new Agent({ keepAlive: true });
  const runtimeOf = (version: Version): Promise<Workerd> => {
    const known = running.get(version.id) ?? run(version);
    running.set(version.id, known);
    return known;
  };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const version = chosen(uploaded(), request.headers.host ?? '');
    if (version === undefined) return void response.writeHead(404).end('There is nothing here yet');
    const { port: inner } = await runtimeOf(version);
    const headers = [...request.rawHeaders, protoHeader, tls === undefined ? 'http' : 'https'];
    const outgoing = httpRequest({
      host: '127.0.0.1',
      port: inner,
      method: request.method,
      path: request.url,
      headers,
      agent,
    });
    outgoing.on('response', (incoming) => {
      response.writeHead(incoming.statusCode ?? 502, incoming.rawHeaders);
      incoming.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    request.pipe(outgoing);
  };
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    answer(request, response).catch((error: unknown) => {
      process.stderr.write(`edge of ${name}: ${String(error)}\n`);
      response.writeHead(500).end('error code: 1101');
    });
  };
  const server: Server =
    tls === undefined
      ? createHttpServer(listener)
      : createHttpsServer({ cert: tls.certPem, key: tls.keyPem }, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const outputs: (() => string)[] = [];

  async function run(version: Version): Promise<Workerd> {
    const main = version.modules.find(({ name }) => name === version.mainModule);
    const workerd = await startWorkerd({
      module: main?.bytes ?? new Uint8Array(),
      ...bindingsOf(version, namespaces),
      compatibilityDate: version.compatibilityDate,
      compatibilityFlags: version.compatibilityFlags,
      protoHeader,
    });
    outputs.push(workerd.output);
    return workerd;
  }

  return {
    url: `${tls === undefined ? 'http' : 'https'}://localhost:${(server.address() as AddressInfo).port}`,
    output: () => outputs.map((output) => output()).join(''),
    async close() {
      server.closeAllConnections();
      server.close();
      agent.destroy();
      const started = await Promise.allSettled(running.values());
      await Promise.all(started.map((one) => (one.status === 'fulfilled' ? one.value.close() : undefined)));
    },
  };
}

/** By the host's name if it names a version, else by chance. */
function chosen(worker: Worker | undefined, host: string): Version | undefined {
  if (worker === undefined) return undefined;
  const prefix = /^([0-9a-f]{8})-/.exec(host)?.[1];
  if (prefix !== undefined && host.startsWith(`${prefix}-${worker.name}.`)) {
    return worker.subdomain.previews_enabled
      ? worker.versions.find(({ id }) => id.startsWith(prefix))
      : undefined;
  }
  const shares = worker.deployments[0]?.versions ?? [];
  let point = randomInt(10_000) / 100;
  for (const { version_id: id, percentage } of shares) {
    if (point < percentage) return worker.version(id);
    point -= percentage;
  }
  return undefined;
}

function bindingsOf(version: Version, namespaces: Pick<Namespaces, 'portOf'>) {
  const of = (type: string) => version.bindings.filter((binding) => binding.type === type);
  const texts = (bindings: readonly Binding[]) =>
    Object.fromEntries(bindings.map((binding) => [binding.name, String(binding['text'])]));
  const metadata = {
    id: version.id,
    tag: version.annotations['workers/tag'] ?? '',
    timestamp: version.createdOn,
  };
  return {
    env: texts(of('plain_text')),
    secrets: texts(of('secret_text')),
    kv: Object.fromEntries(
      of('kv_namespace').flatMap(({ name, namespace_id: id }) => {
        const port = namespaces.portOf(id);
        return port === undefined ? [] : [[name, port]];
      }),
    ),
    json: Object.fromEntries([
      ...of('json').map((binding) => [binding.name, shown(binding)['json']]),
      ...of('version_metadata').map(({ name }) => [name, metadata]),
    ]),
  };
}
