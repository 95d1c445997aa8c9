/** go-plugin's own protocol, not the application's. It has been 1 since the beginning. */
export const coreProtocolVersion = 1;

/** What the one line on stdout says. */
export interface Handshake {
  /** The negotiated application version. */
  readonly version: number;
  readonly network: 'unix' | 'tcp';
  /** A socket's path, or `127.0.0.1:port`. */
  readonly address: string;
  /** The DER of the server's certificate; only when the host asked for mutual TLS. */
  readonly certificate: Uint8Array | undefined;
  /** Did the host set PLUGIN_MULTIPLEX_GRPC to anything? Hosts before go-plugin 1.6 break on a seventh field. */
  readonly multiplexAsked: boolean;
}

/**
 * `CORE|APP|NETWORK|ADDRESS|grpc|CERTIFICATE`, and `|false` when the host asked about multiplexing, ending in
 * a line feed. The certificate is base64 without padding: Go's RawStdEncoding refuses `=`.
 *
 * Without mutual TLS the sixth field must be empty: a host that did not ask for a certificate and is given one
 * dereferences a nil pointer and dies (go-plugin 1.4 to 1.8, client.go, `loadServerCert`).
 */
export function handshakeLine(handshake: Handshake): string {
  const certificate = handshake.certificate
    ? Buffer.from(handshake.certificate).toString('base64').replaceAll('=', '')
    : '';
  const fields = [
    coreProtocolVersion,
    handshake.version,
    handshake.network,
    handshake.address,
    'grpc',
    certificate,
  ];
  return `${fields.join('|')}${handshake.multiplexAsked ? '|false' : ''}\n`;
}
