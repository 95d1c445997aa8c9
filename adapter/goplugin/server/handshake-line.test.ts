import { expect, test } from 'vitest';
import { parseHandshake } from '../host/handshake.ts';
import { createCertificate } from './certificate.ts';
import { type Handshake, handshakeLine } from './handshake-line.ts';

const plain: Handshake = {
  version: 1,
  network: 'unix',
  address: '/tmp/p/s',
  certificate: undefined,
  multiplexAsked: false,
};

test('six fields, the last empty without a certificate', () => {
  expect(handshakeLine(plain)).toBe('1|1|unix|/tmp/p/s|grpc|\n');
});

test('a seventh field only for a host that asks about multiplexing', () => {
  expect(handshakeLine({ ...plain, multiplexAsked: true })).toBe('1|1|unix|/tmp/p/s|grpc||false\n');
});

test('the certificate is base64 without padding, whatever its length', () => {
  for (const length of [60, 61, 62]) {
    const certificate = new Uint8Array(length).fill(251);
    const line = handshakeLine({ ...plain, certificate });
    expect(line).not.toContain('=');
    const read = parseHandshake(line, { versions: [1], autoMtls: true, multiplex: false });
    expect(new Uint8Array(read.certificate ?? [])).toEqual(certificate);
  }
});

test('what the server prints, the host reads', () => {
  const { der } = createCertificate();
  const line = handshakeLine({
    ...plain,
    network: 'tcp',
    address: '127.0.0.1:10000',
    version: 7,
    certificate: der,
  });
  const read = parseHandshake(line, { versions: [6, 7], autoMtls: true, multiplex: false });
  expect(read).toMatchObject({ version: 7, network: 'tcp', address: '127.0.0.1:10000' });
});
