import { PluginError } from '../error.ts';
import type { RequestMessage } from './message.ts';
import type { KeyRing, SignatureCrypto } from './port.ts';

/** Remembers nonces; `NonceMemory` is one. */
export interface Nonces {
  /** Takes a nonce that was never seen and gives true; gives false for one that was. */
  add(nonce: string, expiresS: number, nowS: number): boolean;
}

export interface VerifyRequestOptions {
  /** The adapters that may call. */
  readonly keys: KeyRing;
  readonly crypto: SignatureCrypto;
  /** Unix time in seconds. */
  readonly nowS: number;
  readonly nonces: Nonces;
  /** `name@stage` of this function, from its own configuration. */
  readonly functionName: string;
  /** How far the two clocks may be apart, in seconds: 30. */
  readonly skewS?: number;
}

export interface VerifiedRequest {
  /** Thumbprint of the adapter's key. */
  readonly keyid: string;
  readonly nonce: string;
  readonly createdS: number;
  readonly expiresS: number;
  /** The request's signature in base64. */
  readonly signature: string;
}

export async function verifyRequest(
  _message: RequestMessage,
  _options: VerifyRequestOptions,
): Promise<VerifiedRequest> {
  throw new PluginError('INTERNAL', { happened: 'verifyRequest is a skeleton', expected: '', remedy: '' });
}
