import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { urlToHttpOptions } from 'node:url';
import { PluginError } from '../../../proto/error.ts';
import type { HeaderList, HttpAnswer, HttpMessage } from '../../shapes.ts';
import { isIdleEnd } from './idle-connections.ts';

/** Lambda's limit for a synchronous answer, used for every target so that functions can move. */
export const maxAnswerBytes = 6 * 1024 * 1024;

/** What the unfinished answers of one target may hold together: an endless stream on every socket must not end us. */
export const maxUnfinishedBytes = 128 * 1024 * 1024;

/** The bytes that the unfinished answers of one target hold, and how many they may. */
export interface Unfinished {
  bytes: number;
  readonly maxBytes: number;
}

type RequestFunction = (options: RequestOptions) => ClientRequest;

/** A shorter body is sent in one piece with its head: one TLS record in place of two. */
const maxOnePieceBytes = 8192;

/** An address, taken apart once and not for each call. */
interface Place {
  readonly origin: string;
  readonly secure: boolean;
  readonly host: string;
  readonly options: RequestOptions;
}

/** More than a function has RPCs. */
const maxPlaces = 64;

/** Takes addresses apart and remembers the parts. */
export class Places {
  readonly #known = new Map<string, Place>();

  of(address: string): Place {
    let place = this.#known.get(address);
    if (place === undefined) {
      const url = new URL(address);
      const { protocol, hostname, port, path } = urlToHttpOptions(url);
      const options = { protocol, hostname, port, path };
      place = { origin: url.origin, secure: url.protocol === 'https:', host: url.host, options };
      if (this.#known.size >= maxPlaces) this.#known.clear();
      this.#known.set(address, place);
    }
    return place;
  }
}

/** What the requests of one target share. */
export interface Poster {
  readonly request: RequestFunction;
  readonly agent: Agent;
  readonly places: Places;
  readonly unfinished: Unfinished;
}

/** UNREACHABLE that says whether the function may have run: a retry policy must know. */
export class UnreachableError extends PluginError {
  override readonly name = 'UnreachableError';
  /** True when the request surely never reached the function. */
  readonly notExecuted: boolean;
  /** True when the platform turned it away for the number of requests. */
  readonly throttled: boolean;
  /** True when the connection had lain idle and ended before the answer: no sign that the function is away. */
  readonly idleEnd: boolean;

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
    this.idleEnd = isIdleEnd(cause);
  }
}

/**
 * One POST over a kept-alive connection of `agent`. Redirects are not followed: their answer is unsigned.
 *
 * Throws UNREACHABLE (network, TLS, an answer over 6 MiB), OVERLOADED when the unfinished answers hold more than
 * they may, and DEADLINE when `signal` aborts.
 */
export async function post(
  { request, agent, places, unfinished }: Poster,
  message: HttpMessage,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const { body } = message;
  const place = places.of(message.url);
  // a flat list: Node writes it as it is, and adds no Host
  const headers = ['host', place.host, ...message.headers.flat(), 'content-length', String(body.byteLength)];
  const outgoing = request({ ...place.options, method: 'POST', agent, headers });
  const connected = whenConnected(outgoing, place.secure ? 'secureConnect' : 'connect');
  const abort = () => outgoing.destroy();
  // not the option `signal`, which costs a listener for the end of the stream
  signal.addEventListener('abort', abort, { once: true });
  if (body.byteLength > maxOnePieceBytes) outgoing.end(body);
  // each byte is one character of Latin-1
  else outgoing.end(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1'), 'latin1');
  if (signal.aborted) abort();
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
        happened: `${place.origin} did not answer in time`,
        expected: 'an answer within the deadline',
        remedy: 'Look for a slow function or a slow network, or raise the timeout of the section.',
        cause,
      });
    }
    if (cause instanceof PluginError) throw cause;
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    const tls = /^(?:ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|HOSTNAME|EPROTO)/.test(code);
    const what = tls ? 'TLS to' : 'connection to';
    throw new UnreachableError(`${what} ${place.origin} failed (${code})`, !connected(), cause);
  } finally {
    signal.removeEventListener('abort', abort);
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

function readBody(incoming: IncomingMessage, unfinished: Unfinished): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  const read = new Promise<Uint8Array>((resolve, reject) => {
    incoming.on('data', (chunk: Buffer) => {
      length += chunk.byteLength;
      unfinished.bytes += chunk.byteLength;
      if (length > maxAnswerBytes) {
        reject(new UnreachableError(`an answer is longer than ${maxAnswerBytes} bytes`, false, undefined));
        incoming.destroy();
      }
      if (unfinished.bytes > unfinished.maxBytes) {
        reject(tooMuch(unfinished));
        incoming.destroy();
      }
      chunks.push(chunk);
    });
    incoming.once('end', () => {
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, length));
    });
    incoming.on('error', reject);
    incoming.once('close', () => reject(Object.assign(new Error('closed'), { code: 'closed' })));
  });
  return read.finally(() => {
    unfinished.bytes -= length;
  });
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
