import type { ComponentSource } from './base.ts';
import type { AnswerMessage, HeaderList, RequestMessage } from './message.ts';
import type { SignatureCrypto, SigningKey } from './port.ts';
import { answerComponents, answerTag, signatureText } from './profile.ts';
import { signMessage } from './sign.ts';

/** Who signs an answer to what, and when. */
export interface SignAnswerOptions {
  /** The request that is answered, with its signature headers. Sign only for one whose signature is good. */
  readonly request: RequestMessage;
  /** The function's key. */
  readonly key: SigningKey;
  readonly crypto: SignatureCrypto;
  /** Unix time in seconds. */
  readonly nowS: number;
}

/**
 * What the `;req` components of an answer are taken from. The one dictionary member among them is the request's
 * signature, whose header has no other.
 */
export function requestSource({ method, url, headers }: RequestMessage): ComponentSource {
  // one line each, as the check of its signature or the signing itself has seen
  const field = (name: string) => headers.find(([each]) => each.toLowerCase() === name)?.[1].trim();
  return { method, url, field, other: ({ name }) => signatureText.exec(field(name) ?? '')?.[1] };
}

/**
 * Signs a function's answer so that it fits this one request. Takes all headers of the answer, content-type and
 * plugin-* among them; gives the complete list to send. Throws INTERNAL or INPUT_INVALID for a message outside
 * the profile.
 */
export function signAnswer(
  answer: AnswerMessage,
  options: SignAnswerOptions,
): HeaderList | Promise<HeaderList> {
  const { key, crypto } = options;
  return signMessage({
    headers: answer.headers,
    body: answer.body,
    source: { status: answer.status },
    request: requestSource(options.request),
    key,
    crypto,
    components: answerComponents,
    parameters: `;created=${Math.floor(options.nowS)};keyid="${key.keyid}";tag="${answerTag}"`,
  });
}
