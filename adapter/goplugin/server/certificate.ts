import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { ipBytes } from './ip-bytes.ts';

/** A self-signed certificate with its private key. */
export interface Certificate {
  readonly certPem: string;
  /** PKCS #8. */
  readonly keyPem: string;
  /** What the handshake line carries. */
  readonly der: Uint8Array;
}

export interface CertificateOptions {
  /** DNS names and IP addresses of subjectAltName; the first is the common name too. Default `localhost`. */
  readonly names?: readonly string[];
  /** Default P-256: the fastest to make. go-plugin's hosts use P-521. */
  readonly curve?: 'P-256' | 'P-384' | 'P-521';
  /** basicConstraints CA, as go-plugin's own certificates have it. Default false. */
  readonly authority?: boolean;
  /** How far in the past it starts to be valid, for clocks that differ. Default 60 s (go-plugin: 30 s). */
  readonly backdateMs?: number;
  /** Default 30 years, as go-plugin: longer than any process. */
  readonly lifetimeMs?: number;
}

const thirtyYearsMs = 262_980 * 3_600_000;

/** DER tags (X.690 §8) of what a certificate needs. */
const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Object identifiers, already in DER's base-128 (RFC 5280 §4.2.1, RFC 5758 §3.2). */
const oid = {
  commonName: [0x55, 0x04, 0x03],
  keyUsage: [0x55, 0x1d, 0x0f],
  subjectAltName: [0x55, 0x1d, 0x11],
  basicConstraints: [0x55, 0x1d, 0x13],
  extKeyUsage: [0x55, 0x1d, 0x25],
  serverAuth: [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01],
  clientAuth: [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02],
} as const;

/** ecdsa-with-SHA2 ends in 2, 3 or 4 for SHA-256, 384 or 512: the hash as wide as the curve. */
const signatures = {
  'P-256': { hash: 'sha256', oid: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02] },
  'P-384': { hash: 'sha384', oid: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03] },
  'P-521': { hash: 'sha512', oid: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04] },
} as const;

type Bytes = Uint8Array | readonly number[];

/** One DER element: tag, definite length, content. */
function element(tagByte: number, ...parts: readonly Bytes[]): Uint8Array {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const length = content.length;
  if (length < 0x80) return Buffer.concat([Uint8Array.of(tagByte, length), content]);
  if (length < 0x100) return Buffer.concat([Uint8Array.of(tagByte, 0x81, length), content]);
  return Buffer.concat([Uint8Array.of(tagByte, 0x82, length >> 8, length & 0xff), content]);
}

const sequence = (...parts: readonly Bytes[]) => element(tag.sequence, ...parts);
const identifier = (bytes: readonly number[]) => element(tag.oid, bytes);

/** RFC 5280 §4.1.2.5: two-digit years until 2049, four digits after; no fractions. */
function time(instant: Date): Uint8Array {
  const digits = instant.toISOString().replaceAll(/[-:T]|\..*$/g, '');
  return instant.getUTCFullYear() < 2050
    ? element(tag.utcTime, Buffer.from(`${digits.slice(2)}Z`))
    : element(tag.generalizedTime, Buffer.from(`${digits}Z`));
}

/** A name of subjectAltName: [2] dNSName or [7] iPAddress (RFC 5280 §4.2.1.6). */
function alternativeName(name: string): Uint8Array {
  // Not net.isIP: its expression takes 3.5 ms to compile, at every start of a plugin.
  const isAddress = name.includes(':') || /^[\d.]+$/.test(name);
  return isAddress ? element(0x87, ipBytes(name)) : element(0x82, Buffer.from(name, 'ascii'));
}

function extension(id: readonly number[], critical: boolean, value: Uint8Array): Uint8Array {
  return sequence(
    identifier(id),
    critical ? element(tag.boolean, [0xff]) : [],
    element(tag.octetString, value),
  );
}

/**
 * Makes a self-signed ECDSA certificate for servers and clients, for TLS between two processes that hand each
 * other the certificate itself. Its own few lines of DER: a library costs 50 ms at start.
 *
 * The serial is positive (Go 1.23 refuses others), names stand in subjectAltName (Go ignores the common name)
 * and both extended key usages are there (Go refuses a server certificate with clientAuth alone).
 *
 * ```ts
 * const { certPem, keyPem } = createCertificate({ names: ['localhost', '127.0.0.1'] });
 * createServer({ cert: certPem, key: keyPem });
 * ```
 */
export function createCertificate(options: CertificateOptions = {}): Certificate {
  const { names = ['localhost'], curve = 'P-256', authority = false } = options;
  const { backdateMs = 60_000, lifetimeMs = thirtyYearsMs } = options;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: curve });
  const algorithm = sequence(identifier(signatures[curve].oid));
  const name = sequence(
    element(tag.set, sequence(identifier(oid.commonName), element(tag.utf8, Buffer.from(names[0] ?? '')))),
  );
  const serial = randomBytes(16);
  // A first byte from 0x40 to 0x7f: never negative, never with a superfluous leading zero (X.690 §8.3.2).
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  const now = Date.now();
  // keyUsage bits: digitalSignature, and keyCertSign for an authority; the first octet counts unused bits.
  const usage = authority ? [0x02, 0x84] : [0x07, 0x80];
  const certificate = sequence(
    element(0xa0, element(tag.integer, [2])),
    element(tag.integer, serial),
    algorithm,
    name,
    sequence(time(new Date(now - backdateMs)), time(new Date(now + lifetimeMs))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    element(
      0xa3,
      sequence(
        extension(oid.basicConstraints, true, sequence(authority ? element(tag.boolean, [0xff]) : [])),
        extension(oid.keyUsage, true, element(tag.bitString, usage)),
        extension(oid.extKeyUsage, false, sequence(identifier(oid.serverAuth), identifier(oid.clientAuth))),
        extension(oid.subjectAltName, false, sequence(...names.map(alternativeName))),
      ),
    ),
  );
  const signature = sign(signatures[curve].hash, certificate, privateKey);
  const der = sequence(certificate, algorithm, element(tag.bitString, [0], signature));
  const lines = Buffer.from(der)
    .toString('base64')
    .replaceAll(/.{64}(?=.)/g, '$&\n');
  return {
    certPem: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    der,
  };
}
