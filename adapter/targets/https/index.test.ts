import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createCertificate } from '../../goplugin/server/certificate.ts';
import type { Target } from '../../shapes.ts';
import { httpsTarget } from './index.ts';
import { loopbackLookup } from './loopback.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  undo.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

const httpAt = async (listener: RequestListener) =>
  `http://127.0.0.1:${await listen(createHttpServer(listener))}`;

/** A server below HTTP: gets each connection, answers what it likes. */
const tcpAt = async (onData: (socket: Socket) => void) => {
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => onData(socket));
  });
  return `http://127.0.0.1:${await listen(server)}`;
};

function target(address: string, caPem?: string): Target {
  const opened = httpsTarget(address, { caPem });
  undo.push(() => opened.close());
  return opened;
}

async function send(to: Target, signal = new AbortController().signal) {
  const url = `${to.origin('')}/proto.IPFilter/CheckIP`;
  const headers = [['content-type', 'application/json']] as const;
  return await to.send({ url, headers, body: Buffer.from('{"ip":"192.0.2.1"}') }, '', signal);
}

test('body and headers arrive as they were sent, and a chunked answer is whole', async () => {
  const address = await httpAt(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    response.setHeader('X-Body', Buffer.concat(chunks).toString());
    response.setHeader('Set-Cookie', ['a', 'b']);
    response.write('{"one":');
    setImmediate(() => response.end('1}'));
  });
  const answer = await send(target(address));
  expect(answer.status).toBe(200);
  expect(Buffer.from(answer.body).toString()).toBe('{"one":1}');
  expect(answer.headers).toContainEqual(['x-body', '{"ip":"192.0.2.1"}']);
  expect(answer.headers).toContainEqual(['transfer-encoding', 'chunked']);
  expect(answer.headers.filter(([name]) => name === 'set-cookie')).toHaveLength(2);
});

test('calls share a kept-alive connection', async () => {
  const ports = new Set<number | undefined>();
  const address = await httpAt((request, response) => {
    ports.add(request.socket.remotePort);
    request.resume().on('end', () => response.end());
  });
  const to = target(address);
  for (let index = 0; index < 5; index += 1) await send(to);
  expect(ports.size).toBe(1);
});

test('a redirect is handed on, not followed', async () => {
  const paths: (string | undefined)[] = [];
  const address = await httpAt((request, response) => {
    paths.push(request.url);
    response.writeHead(302, { location: '/elsewhere' }).end();
  });
  expect((await send(target(address))).status).toBe(302);
  expect(paths).toEqual(['/proto.IPFilter/CheckIP']);
});

test('an answer of exactly 6 MiB is taken, one byte more is not', async () => {
  let size = 6 * 1024 * 1024;
  const to = target(await httpAt((_, response) => response.end(Buffer.alloc(size))));
  expect((await send(to)).body.byteLength).toBe(size);
  size += 1;
  await expect(send(to)).rejects.toMatchObject({
    code: 'UNREACHABLE',
    happened: expect.stringContaining('6291456'),
  });
});

test('a refused connection: UNREACHABLE, and the function surely did not run', async () => {
  const server = createTcpServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  await expect(send(target(`http://127.0.0.1:${port}`))).rejects.toMatchObject({
    code: 'UNREACHABLE',
    notExecuted: true,
    happened: `connection to http://127.0.0.1:${port} failed (ECONNREFUSED)`,
  });
});

test('a name that does not resolve: UNREACHABLE, surely not run', async () => {
  await expect(send(target('https://function.invalid'))).rejects.toMatchObject({
    code: 'UNREACHABLE',
    notExecuted: true,
  });
});

test.each([
  ['before the answer', ''],
  ['within the head', 'HTTP/1.1 200 OK\r\ncontent-le'],
  ['within the body', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"half":'],
  ['after what is no HTTP', 'SSH-2.0-OpenSSH_9.9\r\n'],
  [
    'after switching protocols',
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n',
  ],
])('a connection closed %s: UNREACHABLE, and the function may have run', async (_, text) => {
  const to = target(await tcpAt((socket) => socket.end(text)));
  await expect(send(to)).rejects.toMatchObject({ code: 'UNREACHABLE', notExecuted: false });
});

test('a connection reset within the body', async () => {
  const address = await tcpAt((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"half":', () => {
      setImmediate(() => socket.resetAndDestroy());
    });
  });
  await expect(send(target(address))).rejects.toMatchObject({ code: 'UNREACHABLE', notExecuted: false });
});

test('an answer that never comes, or never ends, is DEADLINE when the signal aborts', async () => {
  const silent = target(await tcpAt(() => undefined));
  await expect(send(silent, AbortSignal.timeout(30))).rejects.toMatchObject({ code: 'DEADLINE' });
  const endless = target(
    await tcpAt((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{')),
  );
  await expect(send(endless, AbortSignal.timeout(30))).rejects.toMatchObject({ code: 'DEADLINE' });
  await expect(send(endless, AbortSignal.abort())).rejects.toMatchObject({ code: 'DEADLINE' });
});

const certificate = createCertificate({ names: ['localhost', '127.0.0.1'], authority: true });

async function tlsAt(made = certificate): Promise<{ port: number; hits: () => number }> {
  let hits = 0;
  const server = createHttpsServer({ cert: made.certPem, key: made.keyPem }, (request, response) => {
    hits += 1;
    request.resume().on('end', () => response.end('{}'));
  });
  return { port: await listen(server), hits: () => hits };
}

test('TLS with the CA of the configuration', async () => {
  const { port } = await tlsAt();
  for (const host of ['127.0.0.1', 'localhost']) {
    expect((await send(target(`https://${host}:${port}`, certificate.certPem))).status).toBe(200);
  }
});

test.each([
  ['a CA that nobody trusts', undefined, ['127.0.0.1'], 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['another CA than the configured one', 'other', ['127.0.0.1'], 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['a certificate for another name', 'own', ['other.test'], 'ERR_TLS_CERT_ALTNAME_INVALID'],
])('TLS with %s: UNREACHABLE, and nothing was sent', async (_, trusted, names, reason) => {
  const made = createCertificate({ names, authority: true });
  const { port, hits } = await tlsAt(made);
  const caPem = trusted === 'own' ? made.certPem : trusted && certificate.certPem;
  await expect(send(target(`https://127.0.0.1:${port}`, caPem))).rejects.toMatchObject({
    code: 'UNREACHABLE',
    notExecuted: true,
    happened: `TLS to https://127.0.0.1:${port} failed (${reason})`,
  });
  expect(hits()).toBe(0);
});

test('an old TLS version is refused', async () => {
  const server = createHttpsServer({
    cert: certificate.certPem,
    key: certificate.keyPem,
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'ALL:@SECLEVEL=0',
  });
  const to = target(`https://127.0.0.1:${await listen(server)}`, certificate.certPem);
  await expect(send(to)).rejects.toMatchObject({ code: 'UNREACHABLE', notExecuted: true });
});

test.each([
  'http://functions.example.com',
  'ftp://127.0.0.1/',
  'https://user@functions.example.com',
  'https://functions.example.com/?stage=live',
  'functions.example.com',
])('%s is no address of a function', (address) => {
  expect(() => httpsTarget(address)).toThrow(expect.objectContaining({ code: 'LOCK_INVALID' }));
});

test('plain http goes to loopback even where a resolver says otherwise', async () => {
  const looked = (hostname: string, all: boolean) =>
    new Promise((resolve) => {
      loopbackLookup(hostname, { all }, (...result) => resolve(result));
    });
  // dns.lookup hands addresses through, so 192.0.2.1 stands for a resolver's wrong answer
  expect(await looked('192.0.2.1', false)).toMatchObject([{ code: 'UNREACHABLE' }, '', 4]);
  expect(await looked('127.0.0.1', false)).toEqual([null, '127.0.0.1', 4]);
  expect(await looked('127.9.9.9', true)).toEqual([null, [{ address: '127.9.9.9', family: 4 }]]);
});

test('unfinished answers together hold a bounded number of bytes, and what is refused for it is overload', async () => {
  const waiting: (() => void)[] = [];
  const address = await httpAt((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-length': 100_001 });
    response.write(Buffer.alloc(100_000));
    waiting.push(() => response.end('.'));
  });
  const opened = httpsTarget(address, { maxUnfinishedBytes: 250_000 });
  undo.push(() => opened.close());
  const answers = Array.from({ length: 3 }, () =>
    send(opened).then(
      () => 'answered',
      (error: { code?: string }) => {
        for (const end of waiting) end();
        return error.code;
      },
    ),
  );
  expect((await Promise.all(answers)).sort()).toEqual(['OVERLOADED', 'answered', 'answered']);
  const again = send(opened);
  await expect.poll(() => waiting.length).toBe(4);
  waiting[3]?.();
  expect((await again).body.byteLength).toBe(100_001);
});
