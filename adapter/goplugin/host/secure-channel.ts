import { X509Certificate } from 'node:crypto';
import { connect } from 'node:net';
import {
  checkServerIdentity,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
  connect as tlsConnect,
} from 'node:tls';
import { ChannelCredentials } from '@grpc/grpc-js';
import { PluginError } from '../../../proto/error.ts';
import type { Certificate } from '../server/certificate.ts';
import type { PluginAddress } from './handshake.ts';

/** The name in every certificate of go-plugin. */
const serverName = 'localhost';

/** How long a plugin that has printed its line may take for a TLS handshake. */
const tlsMaxMs = 10_000;

/**
 * Credentials for the plugin of this handshake line: with AutoMTLS exactly the certificate in the line, valid
 * for `localhost`, over TLS 1.2 or later and h2.
 *
 * With AutoMTLS one TLS connection is tried first: a plugin that cannot speak it would otherwise show only as
 * calls that find nobody.
 *
 * Throws HANDSHAKE_INVALID when the certificate or the TLS server is not as announced.
 */
export async function channelCredentials(
  plugin: PluginAddress,
  own: Certificate | undefined,
): Promise<ChannelCredentials> {
  if (own === undefined || plugin.certificate === undefined) return ChannelCredentials.createInsecure();
  const announced = plugin.certificate;
  const context = secureContext(announced, own);
  const checkIdentity = identityCheck(announced);
  await tryTls(plugin, context, checkIdentity);
  return ChannelCredentials.createFromSecureContext(context, { checkServerIdentity: checkIdentity });
}

type IdentityCheck = (host: string, peer: PeerCertificate) => Error | undefined;

/** Exactly the announced certificate, also where it could have issued another, and for `localhost`. */
export function identityCheck(announced: Uint8Array): IdentityCheck {
  return (_host, peer) =>
    peer.raw.equals(announced)
      ? checkServerIdentity(serverName, peer)
      : new Error('the server shows another certificate than the one in its handshake line');
}

function secureContext(announced: Uint8Array, own: Certificate): SecureContext {
  try {
    const ca = new X509Certificate(announced).toString();
    return createSecureContext({ ca, cert: own.certPem, key: own.keyPem, minVersion: 'TLSv1.2' });
  } catch (cause) {
    return refuse("the plugin's certificate cannot be read", cause);
  }
}

function tryTls(
  plugin: PluginAddress,
  secureContext: SecureContext,
  checkIdentity: IdentityCheck,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({
      socket: connect(connectionOf(plugin)),
      secureContext,
      servername: serverName,
      ALPNProtocols: ['h2'],
      checkServerIdentity: checkIdentity,
    });
    const fail = (happened: string, cause?: unknown) => {
      socket.destroy();
      try {
        refuse(happened, cause);
      } catch (error) {
        reject(error);
      }
    };
    socket.setTimeout(tlsMaxMs, () => fail(`the plugin gave no TLS handshake within ${tlsMaxMs} ms`));
    socket.once('error', (cause) => fail(`TLS with the plugin failed (${cause.message})`, cause));
    socket.once('secureConnect', () => {
      // grpc-go from 1.67 drops a server that selects no protocol.
      if (socket.alpnProtocol !== 'h2') {
        fail(`the plugin's TLS selects ${socket.alpnProtocol || 'no protocol'} and not h2`);
        return;
      }
      socket.off('error', fail);
      socket.on('error', () => undefined);
      socket.end();
      resolve();
    });
  });
}

/** Where a socket finds the plugin. */
function connectionOf({
  network,
  address,
}: PluginAddress): { path: string } | { host: string; port: number } {
  if (network === 'unix') return { path: address };
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
}

function refuse(happened: string, cause?: unknown): never {
  throw new PluginError('HANDSHAKE_INVALID', {
    happened,
    expected: 'TLS 1.2 or later with h2 and the certificate of the handshake line, valid for localhost',
    remedy: 'Check the plugin: it must make a new certificate for each host that asks for one.',
    cause,
  });
}
