import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createPlainServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type PeerCertificate, type TlsOptions } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createCertificate } from '../server/certificate.ts';
import { channelCredentials, identityCheck } from './secure-channel.ts';

const own = createCertificate({ curve: 'P-521', authority: true });
const announced = createCertificate();
let folder = '';
let server: Server | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tls-'));
});

afterEach(() => {
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A plugin's TLS server, and what the host makes of it. */
async function meet(options: TlsOptions, certificate = announced.der): Promise<unknown> {
  const defaults = { cert: announced.certPem, key: announced.keyPem, ca: own.certPem, requestCert: true };
  return await meetServer(createServer({ ...defaults, ALPNProtocols: ['h2'], ...options }), certificate);
}

async function meetServer(plugin: Server, certificate: Uint8Array): Promise<unknown> {
  server = plugin;
  plugin.on('tlsClientError', () => undefined);
  const address = join(folder, 's');
  await once(plugin.listen(address), 'listening');
  return await channelCredentials({ version: 1, network: 'unix', address, certificate }, own);
}

test('exactly the announced certificate, for localhost, over h2', async () => {
  await expect(meet({})).resolves.toBeDefined();
});

test('another certificate than announced', async () => {
  const other = createCertificate();
  await expect(meet({ cert: other.certPem, key: other.keyPem })).rejects.toMatchObject({
    code: 'HANDSHAKE_INVALID',
  });
});

test('a certificate that the announced one vouches for is still another', () => {
  const peer = {
    raw: Buffer.from(announced.der),
    subject: {},
    subjectaltname: 'DNS:localhost',
  } as PeerCertificate;
  expect(identityCheck(announced.der)('', peer)).toBeUndefined();
  expect(identityCheck(createCertificate().der)('', peer)).toBeInstanceOf(Error);
});

test.each([
  ['another name', { names: ['example.com'] }],
  ['no longer valid', { backdateMs: 7_200_000, lifetimeMs: -3_600_000 }],
  ['not valid yet', { backdateMs: -3_600_000 }],
])('a certificate with %s', async (_, options) => {
  const bad = createCertificate(options);
  const met = meet({ cert: bad.certPem, key: bad.keyPem }, bad.der);
  await expect(met).rejects.toMatchObject({ code: 'HANDSHAKE_INVALID' });
});

test('bytes that are no certificate', async () => {
  await expect(meet({}, Buffer.alloc(300, 1))).rejects.toThrow('cannot be read');
});

test('no h2: grpc-go would drop it', async () => {
  const plugin = createServer({ cert: announced.certPem, key: announced.keyPem });
  await expect(meetServer(plugin, announced.der)).rejects.toThrow('and not h2');
});

test('TLS older than 1.2', async () => {
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
  await expect(meet(old)).rejects.toMatchObject({ code: 'HANDSHAKE_INVALID' });
});

test('no TLS at all', async () => {
  const plain = createPlainServer((socket) => socket.end('hello'));
  await expect(meetServer(plain, announced.der)).rejects.toMatchObject({ code: 'HANDSHAKE_INVALID' });
});
