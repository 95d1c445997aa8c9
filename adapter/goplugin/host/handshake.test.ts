import { expect, test } from 'vitest';
import { parseHandshake } from './handshake.ts';

const plain = { versions: [1, 2], autoMtls: false, multiplex: false };
const certificate = 'A'.repeat(400);

test.each([
  ['1|1|unix|/tmp/s|grpc|', { version: 1, network: 'unix', address: '/tmp/s', certificate: undefined }],
  ['  1|2|tcp|127.0.0.1:80|grpc\r', { version: 2, network: 'tcp', address: '127.0.0.1:80' }],
  ['1|1|tcp|[::1]:80|grpc|', { network: 'tcp', address: '[::1]:80' }],
  ['1|1|unix|/tmp/s|grpc|short', { certificate: undefined }],
  ['1|1|unix|/tmp/s|grpc||true|more', { version: 1 }],
])('%j', (line, expected) => {
  expect(parseHandshake(line, plain)).toMatchObject(expected);
});

test.each([
  ['', 'first line'],
  ['hello world', 'first line'],
  ['1|1|unix', 'first line'],
  ['x|1|unix|/s|grpc|', 'core protocol version is "x"'],
  ['|1|unix|/s|grpc|', 'core protocol version is ""'],
  ['2|1|unix|/s|grpc|', 'speaks core protocol 2'],
  ['1|one|unix|/s|grpc|', 'application version is "one"'],
  ['1|3|unix|/s|grpc|', 'speaks version 3; expected one of [1, 2]'],
  ['1|1|udp|/s|grpc|', 'address type is "udp"'],
  ['1|1|tcp|nowhere|grpc|', 'the address is "nowhere"'],
  ['1|1|tcp|127.0.0.1:70000|grpc|', 'the address is'],
  ['1|1|unix||grpc|', 'path is empty'],
  ['1|1|unix|/s', 'speaks "netrpc"'],
  ['1|1|unix|/s|netrpc|', 'speaks "netrpc"'],
  [`1|1|unix|/s|grpc|${certificate}`, 'without being asked'],
])('refused: %j', (line, message) => {
  expect(() => parseHandshake(line, plain)).toThrow(
    expect.objectContaining({ code: 'HANDSHAKE_INVALID', message: expect.stringContaining(message) }),
  );
});

test('with AutoMTLS a certificate must come, unpadded', () => {
  const asked = { ...plain, autoMtls: true };
  expect(parseHandshake(`1|1|unix|/s|grpc|${certificate}`, asked).certificate).toHaveLength(300);
  expect(() => parseHandshake('1|1|unix|/s|grpc|', asked)).toThrow('sent no certificate');
  expect(() => parseHandshake(`1|1|unix|/s|grpc|${certificate}A==`, asked)).toThrow('not base64');
  expect(() => parseHandshake(`1|1|unix|/s|grpc|${'_'.repeat(60)}`, asked)).toThrow('not base64');
});

test('a host that asks for multiplexing hears why it gets none', () => {
  const asked = { ...plain, multiplex: true };
  expect(() => parseHandshake('1|1|unix|/s|grpc|', asked)).toThrow('does not support broker multiplexing');
  expect(() => parseHandshake('1|1|unix|/s|grpc||false', asked)).toThrow(
    'does not support broker multiplexing',
  );
  expect(() => parseHandshake('1|1|unix|/s|grpc||maybe', asked)).toThrow('field is "maybe"');
  expect(() => parseHandshake('1|1|unix|/s|grpc||true', asked)).toThrow('would multiplex');
});

test('a screenful of garbage is cut in the message', () => {
  expect(() => parseHandshake('x'.repeat(60_000), plain)).toThrow(
    expect.objectContaining({ message: expect.stringMatching(/^.{1,500}$/) }),
  );
});
