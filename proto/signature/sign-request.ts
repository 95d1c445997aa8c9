import { PluginError } from '../error.ts';
import type { HeaderList, RequestMessage } from './message.ts';
import type { SignatureCrypto, SigningKey } from './port.ts';

export interface SignRequestOptions {
  readonly key: SigningKey;
  readonly crypto: SignatureCrypto;
  /** Unix time in seconds. */
  readonly nowS: number;
  /** Life of the signature in seconds: 30, which is also the most. */
  readonly ttlS?: number;
  /** 16 to 64 base64url characters, fresh for every attempt; made here if absent. */
  readonly nonce?: string;
}

export function signRequest(
  _message: RequestMessage,
  _options: SignRequestOptions,
): HeaderList | Promise<HeaderList> {
  throw new PluginError('INTERNAL', { happened: 'signRequest is a skeleton', expected: '', remedy: '' });
}
