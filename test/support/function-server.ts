import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { allow, deny, ipfilter, type Plugin } from '../../functions/kit/index.ts';
import type { PrivateJwk } from '../../proto/keys/jwk.ts';
import type { AnswerMessage, RequestMessage } from '../../proto/signature/message.ts';
import { nodeCrypto, nodeSigningKey } from '../../proto/signature/node.ts';
import { signAnswer } from '../../proto/signature/sign-answer.ts';
import { newKey, publicOf } from './keys.ts';

/** The build id that a function signs when it runs from source. */
export const sourceBuildId = '0'.repeat(64);

/**
 * What goes back instead of an honest answer, with `byteEveryMs` a byte at a time; `reset` closes the connection,
 * `hang` never answers.
 */
export type Reaction = PacedAnswer | 'reset' | 'hang';

/** An answer, as a whole or bit by bit. */
export interface PacedAnswer extends AnswerMessage {
  readonly byteEveryMs?: number;
}

/** Stands between the network and the function: gets the request and a way to the honest answer. */
export type Interceptor = (
  request: RequestMessage,
  honest: () => Promise<AnswerMessage>,
) => Reaction | Promise<Reaction>;

/** A function on loopback that runs a plugin of the kit, and whatever a test puts in its way. */
export interface FunctionServer {
  /** Its origin, `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** What came in, oldest first. */
  readonly requests: readonly RequestMessage[];
  /** How many connections were opened. */
  readonly connections: number;
  /** Whoever answers in place of the plugin; undefined: the plugin. */
  intercept: Interceptor | undefined;
  /** An answer to one request, signed by the function's key or another one. */
  sign(
    request: RequestMessage,
    answer?: { status?: number; headers?: Readonly<Record<string, string>>; body?: string | Uint8Array },
    options?: { key?: PrivateJwk; nowS?: number },
  ): Promise<AnswerMessage>;
  close(): Promise<void>;
}

export interface FunctionServerOptions {
  readonly adapterKey: PrivateJwk;
  readonly functionKey: PrivateJwk;
  /** Default `office@live`. */
  readonly functionName?: string;
  /** PEM texts: serve over TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** What callers address, where something stands before the function. Default: its own address. */
  readonly publicUrl?: string;
  /** Default: denies 192.0.2.66, throws for 192.0.2.99, allows everybody else, each for five minutes. */
  readonly plugin?: Plugin<object>;
}

/** A pair of keys for {@link startFunction}. */
export function newKeys(): { adapterKey: PrivateJwk; functionKey: PrivateJwk } {
  return { adapterKey: newKey(), functionKey: newKey() };
}

const office = ipfilter<object>({
  checkIP({ ip }) {
    if (ip === '192.0.2.99') throw new Error('a secret of the author');
    return ip === '192.0.2.66' ? deny('banned', { for: '5m' }) : allow({ for: '5m' });
  },
});

/** Starts a function. */
export async function startFunction(options: FunctionServerOptions): Promise<FunctionServer> {
  const { functionName = 'office@live', plugin = office, tls } = options;
  const env = {
    PLUGIN_FUNCTION: functionName,
    PLUGIN_CALLERS: JSON.stringify({ keys: [publicOf(options.adapterKey)] }),
    PLUGIN_KEY: JSON.stringify(options.functionKey),
  };
  const requests: RequestMessage[] = [];

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const request: RequestMessage = {
      method: incoming.method ?? '',
      url: `${options.publicUrl ?? served.url}${incoming.url}`,
      headers: pairs(incoming.rawHeaders),
      body: Buffer.concat(chunks),
    };
    requests.push(request);
    const honest = async () => await toAnswer(await plugin.fetch(toRequest(request), env));
    const reaction: Reaction = await (served.intercept?.(request, honest) ?? honest());
    if (reaction === 'hang') return;
    if (reaction === 'reset') {
      incoming.socket.destroy();
      return;
    }
    outgoing.writeHead(reaction.status, reaction.headers.flat());
    for (const byte of reaction.byteEveryMs === undefined ? [] : reaction.body) {
      outgoing.write(Uint8Array.of(byte));
      await sleep(reaction.byteEveryMs);
      if (outgoing.destroyed) return;
    }
    outgoing.end(reaction.byteEveryMs === undefined ? reaction.body : undefined);
  }

  const listener = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    answer(incoming, outgoing).catch(() => incoming.socket.destroy());
  };
  const server = tls ? createHttpsServer(tls, listener) : createHttpServer(listener);
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const served: FunctionServer = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    get connections() {
      return connections;
    },
    intercept: undefined,
    async sign(request, { status = 200, headers = {}, body = '{}' } = {}, signing = {}) {
      const message: AnswerMessage = {
        status,
        headers: Object.entries({
          'content-type': 'application/json',
          'plugin-version': sourceBuildId,
          ...headers,
        }),
        body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
      };
      const key = nodeSigningKey(signing.key ?? options.functionKey);
      const nowS = signing.nowS ?? Date.now() / 1000;
      return { ...message, headers: await signAnswer(message, { request, key, crypto: nodeCrypto, nowS }) };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return served;
}

/** An answer with one header replaced, or added. */
export function withHeader(answer: AnswerMessage, name: string, value: string): AnswerMessage {
  return { ...answer, headers: [...answer.headers.filter(([known]) => known !== name), [name, value]] };
}

function pairs(raw: readonly string[]): [string, string][] {
  return raw.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name.toLowerCase(), raw[index + 1] ?? '']] : [],
  );
}

function toRequest({ method, url, headers, body }: RequestMessage): Request {
  return new Request(url, {
    method,
    headers: headers.filter(([name]) => name !== 'connection').map(([name, value]) => [name, value]),
    body: body as Uint8Array<ArrayBuffer>,
  });
}

async function toAnswer(response: Response): Promise<AnswerMessage> {
  return {
    status: response.status,
    headers: [...response.headers],
    body: new Uint8Array(await response.arrayBuffer()),
  };
}
