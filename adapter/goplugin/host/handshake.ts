import { isIP } from 'node:net';
import { PluginError } from '../../../proto/error.ts';

/** A handshake line that a host can work with. */
export interface PluginAddress {
  /** The application version that the plugin chose. */
  readonly version: number;
  readonly network: 'unix' | 'tcp';
  readonly address: string;
  /** DER of the plugin's certificate; undefined without AutoMTLS. */
  readonly certificate: Uint8Array | undefined;
}

/** What the host asked for, and so may expect. */
export interface HandshakeExpectation {
  readonly versions: readonly number[];
  readonly autoMtls: boolean;
  readonly multiplex: boolean;
}

/** go-plugin looks at the sixth field only when it is longer: older plugins left other things there. */
const certificateMinLength = 51;

/**
 * Reads the plugin's first line as go-plugin's client does (client.go, `Start`), field by field, and refuses
 * what Go would only stumble over later: a certificate that was not asked for (Go panics) and a missing one
 * (Go fails at the first call).
 *
 * Throws HANDSHAKE_INVALID with the field that is wrong.
 */
export function parseHandshake(line: string, expectation: HandshakeExpectation): PluginAddress {
  const fields = line.trim().split('|');
  const [
    core = '',
    version = '',
    network = '',
    address = '',
    protocol = 'netrpc',
    certificate = '',
    multiplex,
  ] = fields;
  if (fields.length < 4) {
    refuse(`the plugin's first line is ${quote(line)}`, 'CORE|APP|NETWORK|ADDRESS|PROTOCOL|CERTIFICATE');
  }
  if (!isInteger(core)) refuse(`the core protocol version is ${quote(core)}`, 'the number 1');
  if (Number(core) !== 1) refuse(`the plugin speaks core protocol ${core}`, 'core protocol 1');
  if (!isInteger(version)) refuse(`the application version is ${quote(version)}`, 'a number');
  if (!expectation.versions.includes(Number(version))) {
    refuse(`the plugin speaks version ${version}`, `one of [${expectation.versions.join(', ')}]`);
  }
  if (network !== 'unix' && network !== 'tcp') refuse(`the address type is ${quote(network)}`, 'unix or tcp');
  if (network === 'tcp' && !isTcpAddress(address)) refuse(`the address is ${quote(address)}`, 'HOST:PORT');
  if (network === 'unix' && address === '') refuse('the socket path is empty', 'a path');
  if (protocol !== 'grpc') refuse(`the plugin speaks ${quote(protocol)}`, 'grpc');
  checkMultiplex(multiplex, expectation.multiplex);
  return {
    version: Number(version),
    network,
    address,
    certificate: readCertificate(certificate, expectation.autoMtls),
  };
}

function readCertificate(text: string, asked: boolean): Uint8Array | undefined {
  const isThere = text.length >= certificateMinLength;
  if (!isThere && asked)
    refuse('the plugin sent no certificate, though it was asked for one', 'its certificate');
  if (!isThere) return undefined;
  if (!asked) refuse('the plugin sent a certificate without being asked', 'an empty sixth field');
  // Go decodes with RawStdEncoding: the standard alphabet, no padding.
  if (!/^[A-Za-z0-9+/]+$/.test(text) || text.length % 4 === 1) {
    refuse("the plugin's certificate is not base64", 'base64 with the standard alphabet and without "="');
  }
  return Buffer.from(text, 'base64');
}

/** Go's strconv.ParseBool, and what this host can do: it has no yamux. */
function checkMultiplex(field: string | undefined, asked: boolean): void {
  if (!asked) return;
  if (field === undefined || /^(0|f|F|false|FALSE|False)$/.test(field)) {
    refuse(
      'the plugin does not support broker multiplexing',
      'a plugin that does, as multiplexing was asked for',
    );
  }
  if (!/^(1|t|T|true|TRUE|True)$/.test(field))
    refuse(`the multiplexing field is ${quote(field)}`, 'true or false');
  refuse('the plugin would multiplex', 'no multiplexing: this host only asks about it');
}

/** Go's strconv.Atoi. */
function isInteger(text: string): boolean {
  return /^[+-]?\d+$/.test(text) && Number.isSafeInteger(Number(text));
}

function isTcpAddress(text: string): boolean {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null || Number(match[3]) > 65_535) return false;
  return match[1] === undefined || isIP(match[1]) === 6;
}

/** At most a screen line of what a stranger printed. */
function quote(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}

function refuse(happened: string, expected: string): never {
  throw new PluginError('HANDSHAKE_INVALID', {
    happened,
    expected,
    remedy: 'Check that the command is a plugin of this kind and prints nothing before its handshake line.',
  });
}
