import { PluginError } from '../error.ts';
import { after } from './after.ts';
import { profileFields, type Refuse } from './fields.ts';
import type { AnswerMessage, RequestMessage } from './message.ts';
import type { KeyRing, SignatureCrypto } from './port.ts';
import { answerComponents, answerParameters, answerTag } from './profile.ts';
import { requestSource } from './sign-answer.ts';
import { verifyMessage } from './verify.ts';

/** What an adapter accepts as the answer. */
export interface VerifyAnswerOptions {
  /** The request as it was sent, with its signature headers. */
  readonly request: RequestMessage;
  /** The keys the lock lists for this function. */
  readonly keys: KeyRing;
  readonly crypto: SignatureCrypto;
}

/** Who answered, and the signed facts. */
export interface VerifiedAnswer {
  /** Thumbprint of the function's key. */
  readonly keyid: string;
  /** The function's clock, Unix time in seconds. Only for reports: the answer's age proves nothing. */
  readonly createdS: number;
  /** The signed plugin-* headers that are not empty: the only ones to read. */
  readonly plugin: ReadonlyMap<string, string>;
}

const refuse: Refuse = (reason) => {
  throw new PluginError('ANSWER_REFUSED', {
    happened: `the answer ${reason}`,
    expected: 'an answer to this request, signed with a key that the lock lists for this function',
    remedy: 'Look for what changes answers on the way, or deploy the function and its lock again.',
  });
};

/**
 * Verifies a function's answer to one request. A value with node.ts's keys and crypto, a promise with web.ts's.
 *
 * Throws ANSWER_UNSIGNED when there is no signature at all (a proxy's error page), ANSWER_REFUSED when it is not one of
 * a listed key over exactly this answer to exactly this request; the reason is a fixed text.
 */
export function verifyAnswer(
  answer: AnswerMessage,
  options: VerifyAnswerOptions,
): VerifiedAnswer | Promise<VerifiedAnswer> {
  for (const wanted of ['signature-input', 'signature']) {
    if (!answer.headers.some(([name]) => name.toLowerCase() === wanted)) {
      throw new PluginError('ANSWER_UNSIGNED', {
        happened: `an answer with status ${answer.status} has no ${wanted} header`,
        expected: "the function's signature",
        remedy:
          'Something before the function answered: look at the address, at proxies and at its platform.',
      });
    }
  }
  const fields = profileFields(answer.headers, refuse);
  const verified = verifyMessage({
    fields,
    body: answer.body,
    source: { status: answer.status },
    request: requestSource(options.request),
    keys: options.keys,
    crypto: options.crypto,
    components: answerComponents(fields.keys()),
    parameters: answerParameters,
    tag: answerTag,
    refuse,
  });
  return after(verified, ({ parameters, keyid }) => {
    const plugin = new Map<string, string>();
    for (const [name, value] of fields)
      if (value !== '' && name.startsWith('plugin-')) plugin.set(name, value);
    return { keyid, createdS: Number(parameters.get('created')), plugin };
  });
}
