import { PluginError } from '../error.ts';
import { profileFields, type Refuse } from './fields.ts';
import type { RequestMessage } from './message.ts';
import type { KeyRing, SignatureCrypto } from './port.ts';
import { defaultSkewS, maxLifeS, requestComponents, requestParameters, requestTag } from './profile.ts';
import { verifyMessage } from './verify.ts';

/** Remembers nonces; `NonceMemory` is one. */
export interface Nonces {
  /** Takes a nonce that was never seen and gives true; gives false for one that was. Times in Unix seconds. */
  add(nonce: string, expiresS: number, nowS: number): boolean;
}

/** What a function accepts. */
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

/** Who called, and the life of the call's signature. */
export interface VerifiedRequest {
  /** Thumbprint of the adapter's key. */
  readonly keyid: string;
  readonly nonce: string;
  readonly createdS: number;
  readonly expiresS: number;
  /** The request's signature in base64. */
  readonly signature: string;
}

const refuse: Refuse = (reason) => {
  throw new PluginError('CALL_REFUSED', {
    happened: `the request ${reason}`,
    expected: 'a call signed by a listed adapter for this function, once',
    remedy: "Compare the adapter's key, function and address with the function's settings.",
  });
};

/**
 * Verifies a request on the function's side. The caller has capped the body's size before; then: component list, key,
 * digest, signature, time, nonce. `url` is what the runtime or the settings say, never the payload.
 *
 * Throws CALL_REFUSED (fixed texts), or CLOCK_SKEW when only the time is wrong: that signature is good, so the
 * function may sign its answer.
 */
export async function verifyRequest(
  message: RequestMessage,
  options: VerifyRequestOptions,
): Promise<VerifiedRequest> {
  const { nowS, skewS = defaultSkewS } = options;
  const fields = profileFields(message.headers, refuse);
  if (!fields.has('signature-input')) refuse('is not signed');
  if (message.method !== 'POST') refuse('is not a POST');
  if (fields.get('plugin-function') !== options.functionName) refuse('is for another function');
  if (!fields.get('plugin-call-id')) refuse('has no call id');
  const { parameters, keyid, signature } = await verifyMessage({
    fields,
    body: message.body,
    source: { method: message.method, url: message.url },
    keys: options.keys,
    crypto: options.crypto,
    components: requestComponents(fields.keys()),
    parameters: requestParameters,
    tag: requestTag,
    refuse,
  });
  const nonce = parameters.get('nonce') ?? '';
  const createdS = Number(parameters.get('created'));
  const expiresS = Number(parameters.get('expires'));
  if (expiresS <= createdS || expiresS - createdS > maxLifeS) refuse('lives too long');
  if (createdS > nowS + skewS || expiresS < nowS - skewS) {
    throw new PluginError('CLOCK_SKEW', {
      happened: 'the request was signed too early or too late by the clock of this function',
      expected: `clocks at most ${skewS} s apart`,
      remedy: 'Set the clock of the SFTPGo host.',
    });
  }
  if (!options.nonces.add(`${keyid}.${nonce}`, expiresS, nowS)) refuse('was seen before');
  return { keyid, nonce, createdS, expiresS, signature };
}
