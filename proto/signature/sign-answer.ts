import { PluginError } from '../error.ts';
import type { AnswerMessage, HeaderList, RequestMessage } from './message.ts';
import type { SignatureCrypto, SigningKey } from './port.ts';

export interface SignAnswerOptions {
  /** The request that is answered, with its signature headers. */
  readonly request: RequestMessage;
  readonly key: SigningKey;
  readonly crypto: SignatureCrypto;
  /** Unix time in seconds. */
  readonly nowS: number;
}

export function signAnswer(
  _answer: AnswerMessage,
  _options: SignAnswerOptions,
): HeaderList | Promise<HeaderList> {
  throw new PluginError('INTERNAL', { happened: 'signAnswer is a skeleton', expected: '', remedy: '' });
}
