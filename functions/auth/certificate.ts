import { FunctionError } from '../kit/index.ts';
import { fromBase64 } from './password/bytes.ts';

/** The DER bytes of the first certificate in a PEM text; undefined where there is none. */
function derOf(pem: string): Uint8Array<ArrayBuffer> | undefined {
  const [, base64] =
    /-----BEGIN CERTIFICATE-----([\sA-Za-z0-9+/=]+)-----END CERTIFICATE-----/.exec(pem) ?? [];
  return base64 === undefined ? undefined : fromBase64(base64.replace(/\s/g, ''));
}

/** SHA-256 of a certificate in hex; undefined for what is no PEM. */
export async function fingerprintOf(pem: string): Promise<string | undefined> {
  const der = derOf(pem);
  if (der === undefined) return undefined;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', der));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * The one common name of a certificate; undefined where there is none or more than one.
 *
 * Throws FunctionError failed_precondition on a platform without node:crypto.
 */
export function commonNameOf(pem: string): string | undefined {
  const node = globalThis.process?.getBuiltinModule?.('node:crypto');
  if (node?.X509Certificate === undefined) {
    throw new FunctionError('failed_precondition', 'common names cannot be read on this platform');
  }
  const der = derOf(pem);
  if (der === undefined) return undefined;
  try {
    const names: unknown = new node.X509Certificate(der).toLegacyObject().subject?.CN;
    return typeof names === 'string' ? names : undefined;
  } catch {
    return undefined;
  }
}
