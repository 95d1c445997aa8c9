import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { createCertificate } from './certificate.ts';

test.each(['P-256', 'P-384', 'P-521'] as const)('%s: self-signed, and the key is its own', (curve) => {
  const { certPem, keyPem, der } = createCertificate({ curve });
  const certificate = new X509Certificate(certPem);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.checkPrivateKey(createPrivateKey(keyPem))).toBe(true);
  expect(new Uint8Array(certificate.raw)).toEqual(new Uint8Array(der));
});

test('a leaf for localhost, for servers and clients', () => {
  const certificate = new X509Certificate(createCertificate().certPem);
  expect(certificate.subjectAltName).toBe('DNS:localhost');
  expect(certificate.ca).toBe(false);
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
  expect(certificate.checkHost('localhost')).toBe('localhost');
});

test('an authority when asked, as go-plugin makes its own', () => {
  expect(new X509Certificate(createCertificate({ authority: true }).certPem).ca).toBe(true);
});

test('names and addresses of both families', () => {
  const names = ['localhost', '127.0.0.1', '::1', '2001:db8::ff', '::ffff:192.0.2.1', 'a.example'];
  const certificate = new X509Certificate(createCertificate({ names }).certPem);
  for (const address of ['127.0.0.1', '::1', '2001:db8::ff'])
    expect(certificate.checkIP(address)).toBe(address);
  expect(certificate.checkIP('127.0.0.2')).toBeUndefined();
  expect(certificate.checkHost('a.example')).toBe('a.example');
  expect(certificate.subjectAltName).toContain('IP Address:0:0:0:0:0:FFFF:C000:201');
});

test('valid since before now, for thirty years', () => {
  const certificate = new X509Certificate(createCertificate().certPem);
  expect(certificate.validFromDate.getTime()).toBeLessThan(Date.now() - 30_000);
  expect(certificate.validToDate.getUTCFullYear()).toBeGreaterThanOrEqual(2050);
  const day = new X509Certificate(createCertificate({ lifetimeMs: 86_400_000 }).certPem);
  expect(day.validToDate.getTime() - Date.now()).toBeLessThan(86_401_000);
});

test('serials are positive, 16 octets, and never the same', () => {
  const serials = Array.from(
    { length: 50 },
    () => new X509Certificate(createCertificate().certPem).serialNumber,
  );
  for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
  expect(new Set(serials).size).toBe(50);
});

test('a TLS server of it is reached by name and by address', async () => {
  const { certPem, keyPem } = createCertificate({ names: ['localhost', '127.0.0.1'] });
  const server = createServer({ cert: certPem, key: keyPem }, (socket) => socket.end());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  for (const servername of ['localhost', '']) {
    const socket: TLSSocket = connect({ host: '127.0.0.1', port, ca: certPem, servername });
    await once(socket, 'secureConnect');
    expect(socket.authorized).toBe(true);
    socket.destroy();
  }
  server.close();
});
