import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { PluginError } from '../../../proto/error.ts';
import type { HeaderList, HttpAnswer, HttpMessage } from '../../shapes.ts';

/** Lambda's limit for a synchronous answer, used for every target so that functions can move. */
export const maxAnswerBytes = 6 * 1024 * 1024;

/** What the unfinished answers of one target may hold together: an endless stream on every socket must not end us. */
export const maxUnfinishedBytes = 128 * 1024 * 1024;

/** The bytes that the unfinished answers of one target hold, and how many they may. */
export interface Unfinished {
  bytes: number;
  readonly maxBytes: number;
}

type RequestFunction = (url: URL, options: RequestOptions) => ClientRequest;

/** UNREACHABLE that says whether the function may have run: a retry policy must know. */
export class UnreachableError extends PluginError {
  override readonly name = 'UnreachableError';
  /** True when the request surely never reached the function. */
  readonly notExecuted: boolean;
  /** True when the platform turned it away for the number of requests. */
  readonly throttled: boolean;

  constructor(
    happened: string,
    notExecuted: boolean,
    cause: unknown,
    { expected, remedy, throttled = false }: { expected: string; remedy: string; throttled?: boolean } = {
      expected: 'an HTTPS connection and a complete answer',
      remedy: 'Check the address in the lock, DNS, firewall and TLS; `call` shows a single attempt.',
    },
  ) {
    super('UNREACHABLE', { happened, expected, remedy, cause });
    this.notExecuted = notExecuted;
    this.throttled = throttled;
  }
}

/**
 * One POST over a kept-alive connection of `agent`. Redirects are not followed: their answer is unsigned.
 *
 * Throws UNREACHABLE (network, TLS, an answer over 6 MiB), OVERLOADED when the unfinished answers hold more than
 * they may, and DEADLINE when `signal` aborts.
 */
export async function post(
  request: RequestFunction,
  agent: Agent,
  message: HttpMessage,
  signal: AbortSignal,
  unfinished: Unfinished = { bytes: 0, maxBytes: maxUnfinishedBytes },
): Promise<HttpAnswer> {
  const url = new URL(message.url);
  const outgoing = request(url, {
    method: 'POST',
    agent,
    signal,
    headers: {
      ...Object.fromEntries(message.headers),
      'content-length': String(message.body.byteLength),
    },
  });
  const connected = whenConnected(outgoing, url.protocol === 'https:' ? 'secureConnect' : 'connect');
  outgoing.end(message.body);
  try {
    const incoming = await responseTo(outgoing);
    const { socket } = incoming;
    const body = await readBody(incoming, unfinished);
    return {
      status: incoming.statusCode ?? 0,
      headers: headersOf(incoming),
      body,
      discard: () => void socket.destroy(),
    };
  } catch (cause) {
    outgoing.destroy();
    if (signal.aborted) {
      throw new PluginError('DEADLINE', {
        happened: `${url.origin} did not answer in time`,
        expected: 'an answer within the deadline',
        remedy: 'Look for a slow function or a slow network, or raise the timeout of the section.',
        cause,
      });
    }
    if (cause instanceof PluginError) throw cause;
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    const tls = /^(?:ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|HOSTNAME|EPROTO)/.test(code);
    const what = tls ? 'TLS to' : 'connection to';
    throw new UnreachableError(`${what} ${url.origin} failed (${code})`, !connected(), cause);
  }
}

/** The head of the answer. Node ends a request that is answered 101 without an error: only `close` tells. */
function responseTo(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', resolve);
    // stays: what fails later is reported by reading the body, and here once more
    outgoing.on('error', reject);
    outgoing.once('close', () => reject(Object.assign(new Error('closed'), { code: 'closed' })));
  });
}

/**
 * Has the connection been up, so that a byte of the request may have left? DNS, a refused connection and a refused
 * certificate come before; the same error codes on an open connection do not.
 */
function whenConnected(outgoing: ClientRequest, event: 'connect' | 'secureConnect'): () => boolean {
  let connected = false;
  outgoing.once('socket', (socket) => {
    if (!socket.connecting) connected = true;
    else socket.once(event, () => (connected = true));
  });
  return () => connected;
}

async function readBody(incoming: IncomingMessage, unfinished: Unfinished): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      length += chunk.byteLength;
      unfinished.bytes += chunk.byteLength;
      if (length > maxAnswerBytes) {
        throw new UnreachableError(`an answer is longer than ${maxAnswerBytes} bytes`, false, undefined);
      }
      if (unfinished.bytes > unfinished.maxBytes) throw tooMuch(unfinished);
      chunks.push(chunk);
    }
  } finally {
    unfinished.bytes -= length;
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, length);
}

/** Not UNREACHABLE: that many large answers at once must not buy a verdict (docs/reliability.md). */
function tooMuch({ maxBytes }: Unfinished): PluginError {
  return new PluginError('OVERLOADED', {
    happened: `the unfinished answers of a function hold more than ${maxBytes} bytes`,
    expected: 'answers of a few kilobytes',
    remedy: 'Look at what answers at the address in the lock.',
  });
}

function headersOf(incoming: IncomingMessage): HeaderList {
  const headers: [string, string][] = [];
  const { rawHeaders } = incoming;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    headers.push([(rawHeaders[index] ?? '').toLowerCase(), rawHeaders[index + 1] ?? '']);
  }
  return headers;
}
