import { PluginError } from '../error.ts';
import type { AnswerMessage, RequestMessage } from './message.ts';
import type { KeyRing, SignatureCrypto } from './port.ts';

export interface VerifyAnswerOptions {
  /** The request as it was sent, with its signature headers. */
  readonly request: RequestMessage;
  /** The keys the lock lists for this function. */
  readonly keys: KeyRing;
  readonly crypto: SignatureCrypto;
}

export interface VerifiedAnswer {
  /** Thumbprint of the function's key. */
  readonly keyid: string;
  /** The function's clock, Unix time in seconds. */
  readonly createdS: number;
  /** The signed plugin-* headers that are not empty: the only ones to read. */
  readonly plugin: ReadonlyMap<string, string>;
}

export function verifyAnswer(
  _answer: AnswerMessage,
  _options: VerifyAnswerOptions,
): VerifiedAnswer | Promise<VerifiedAnswer> {
  throw new PluginError('INTERNAL', { happened: 'verifyAnswer is a skeleton', expected: '', remedy: '' });
}
