import { encodeBase64Url } from '../base64.ts';
import type { HeaderList, RequestMessage } from './message.ts';
import type { SignatureCrypto, SigningKey } from './port.ts';
import { maxLifeS, requestComponents, requestTag } from './profile.ts';
import { refuseToSign, signMessage } from './sign.ts';

/** Who signs a request, and when. */
export interface SignRequestOptions {
  /** The adapter's key. */
  readonly key: SigningKey;
  readonly crypto: SignatureCrypto;
  /** Unix time in seconds. */
  readonly nowS: number;
  /** Life of the signature in seconds: 30, which is also the most. */
  readonly ttlS?: number;
  /** 16 to 64 base64url characters, fresh for every attempt; made here if absent. */
  readonly nonce?: string;
}

/**
 * Signs a request to a function. Takes all its headers, among them content-type, connect-protocol-version,
 * connect-timeout-ms, plugin-function and plugin-call-id; gives the complete list to send. A value with node.ts's
 * key and crypto, a promise with web.ts's. Throws INTERNAL or INPUT_INVALID for a message outside the profile.
 *
 * ```ts
 * const headers = await signRequest({ method: 'POST', url, headers: plain, body }, { key, crypto, nowS });
 * ```
 */
export function signRequest(
  message: RequestMessage,
  options: SignRequestOptions,
): HeaderList | Promise<HeaderList> {
  const { key, crypto, ttlS = maxLifeS } = options;
  const createdS = Math.floor(options.nowS);
  const nonce = options.nonce ?? encodeBase64Url(crypto.randomBytes(16));
  if (!(ttlS > 0 && ttlS <= maxLifeS)) refuseToSign('shall live too long');
  if (!/^[\w-]{16,64}$/.test(nonce)) refuseToSign('has a nonce outside its grammar');
  return signMessage({
    headers: message.headers,
    body: message.body,
    source: { method: message.method, url: message.url },
    key,
    crypto,
    components: requestComponents,
    parameters: `;created=${createdS};expires=${createdS + Math.floor(ttlS)};nonce="${nonce}";keyid="${key.keyid}";tag="${requestTag}"`,
  });
}
