import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { HttpAnswer, HttpMessage } from '../../../adapter/shapes.ts';

/** A server that reads requests and answers bytes, whatever they are. */
export interface RawServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Gives each connection the bytes for its one request and closes it: the other end waits for nothing. */
export async function startRawServer(
  answer: (request: HttpMessage) => Promise<Uint8Array>,
): Promise<RawServer> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    // the adapter closes when it has seen enough
    socket.on('error', () => socket.destroy());
    const pieces: Buffer[] = [];
    socket.on('data', (piece) => {
      pieces.push(piece);
      const request = requestIn(Buffer.concat(pieces));
      if (request === undefined) return;
      socket.removeAllListeners('data').resume();
      answer(request).then(
        (bytes) => socket.end(bytes),
        () => socket.destroy(),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The request in these bytes; undefined as long as it is not whole. */
function requestIn(bytes: Buffer): HttpMessage | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const [name = '', ...value] = line.split(': ');
    return [name.toLowerCase(), value.join(': ')];
  });
  const of = (wanted: string) => headers.find(([name]) => name === wanted)?.[1] ?? '';
  const body = bytes.subarray(end + 4);
  if (body.length < Number(of('content-length'))) return undefined;
  return { url: `http://${of('host')}${first.split(' ')[1]}`, headers, body };
}

/** How an answer is written: its end by length, in chunks, or by the end of the connection. */
export type Framing =
  | 'length'
  | 'chunks'
  | 'close'
  | 'continue first'
  | 'two lengths'
  | 'both'
  | 'and another';

/** An answer as HTTP/1.1, byte by byte; names and values as they are. */
export function written({ status, headers, body }: HttpAnswer, framing: Framing): Buffer {
  const length = `content-length: ${body.length}\r\n`;
  const chunk = [`${body.length.toString(16)}\r\n`, body, '\r\n0\r\n\r\n'];
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const head = `HTTP/1.1 ${status} Whatever\r\n${lines}connection: close\r\n`;
  const parts: Readonly<Record<Framing, readonly (string | Uint8Array)[]>> = {
    length: [head, length, '\r\n', body],
    chunks: [head, 'transfer-encoding: chunked\r\n\r\n', ...(body.length > 0 ? chunk : ['0\r\n\r\n'])],
    close: [head, '\r\n', body],
    'continue first': ['HTTP/1.1 100 Continue\r\n\r\n', head, length, '\r\n', body],
    'two lengths': [head, length, `content-length: ${body.length + 1}\r\n`, '\r\n', body, ' '],
    both: [head, length, 'transfer-encoding: chunked\r\n\r\n', ...chunk],
    'and another': [head, length, '\r\n', body, 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'],
  };
  return Buffer.concat(
    parts[framing].map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)),
  );
}
