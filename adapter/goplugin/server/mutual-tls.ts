import { X509Certificate } from 'node:crypto';
import { ServerCredentials } from '@grpc/grpc-js';
import { PluginError } from '../../../proto/error.ts';
import { createCertificate } from './certificate.ts';

/** How the plugin's server meets its host. */
export interface ServerIdentity {
  readonly credentials: ServerCredentials;
  /** DER for the handshake line; undefined without mutual TLS. */
  readonly certificate: Uint8Array | undefined;
}

/**
 * Plain text unless the host sent its certificate (AutoMTLS). With it: a fresh certificate of ours, TLS 1.2 or
 * later, and nobody but the holder of the host's certificate is let in.
 *
 * @param clientCertificate the value of PLUGIN_CLIENT_CERT: PEM of the host's one-time certificate
 *
 * Throws HOST_REFUSED when it is not one: TLS would start all the same, trusting nobody or too many.
 */
export function serverIdentity(clientCertificate: string | undefined): ServerIdentity {
  if (clientCertificate === undefined || clientCertificate === '') {
    return { credentials: ServerCredentials.createInsecure(), certificate: undefined };
  }
  const trusted = parseCertificates(clientCertificate);
  const own = createCertificate();
  const credentials = ServerCredentials.createSsl(
    Buffer.from(trusted),
    [{ private_key: Buffer.from(own.keyPem), cert_chain: Buffer.from(own.certPem) }],
    true,
  );
  return { credentials, certificate: own.der };
}

/** The certificates of a PEM text, re-encoded so that nothing but certificates reaches the TLS library. */
function parseCertificates(pem: string): string {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  try {
    if (blocks.length > 0) return blocks.map((block) => new X509Certificate(block).toString()).join('');
  } catch {
    // Told below: the parser's own words ("PEM routines::bad base64 decode") help nobody.
  }
  throw new PluginError('HOST_REFUSED', {
    happened: `PLUGIN_CLIENT_CERT is set (${pem.length} characters) but is not a certificate`,
    expected: "the PEM of the host's certificate, or nothing",
    remedy: 'Let the host set it (auto_mtls); do not set it by hand.',
  });
}
