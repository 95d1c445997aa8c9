import { encodeBase64 } from '../base64.ts';
import { PluginError } from '../error.ts';
import { after } from './after.ts';
import { type Component, type ComponentSource, signatureBase } from './base.ts';
import { contentDigest } from './digest.ts';
import { profileFields, type Refuse } from './fields.ts';
import type { HeaderList } from './message.ts';
import type { SignatureCrypto, SigningKey } from './port.ts';
import { componentList, label, signatureFields } from './profile.ts';

const utf8 = new TextEncoder();

/** A message to sign that the profile has no place for is a defect of the caller. */
export const refuseToSign: Refuse = (reason) => {
  throw new PluginError('INTERNAL', {
    happened: `a message to be signed ${reason}`,
    expected: 'every header of the profile once, none of the signature yet',
    remedy: 'Report this with the command that was run.',
  });
};

/** A message to sign and what its kind covers. */
export interface SignOptions {
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  readonly source: Omit<ComponentSource, 'field'>;
  readonly request?: ComponentSource;
  readonly key: SigningKey;
  readonly crypto: SignatureCrypto;
  /** What to cover, given the names of the profile's fields in the message. */
  readonly components: (fieldNames: Iterable<string>) => readonly Component[];
  /** The signature parameters, `;name=value` each. */
  readonly parameters: string;
}

/**
 * Signs either kind of message; gives its headers with content-digest, signature-input and signature added. Empty
 * plugin-* headers are left out: some platforms drop them on the way.
 */
export function signMessage(options: SignOptions): HeaderList | Promise<HeaderList> {
  const { body, source, request, key, crypto } = options;
  const headers = options.headers.filter(([name, value]) => value !== '' || !name.startsWith('plugin-'));
  const fields = profileFields(headers, refuseToSign);
  for (const name of signatureFields) if (fields.has(name)) refuseToSign(`has a ${name} already`);
  return after(contentDigest(body, crypto), (digest) => {
    fields.set('content-digest', digest);
    const components = options.components(fields.keys());
    const input = componentList(components) + options.parameters;
    const base = signatureBase(components, input, { ...source, field: (name) => fields.get(name) }, request);
    return after(key.sign(utf8.encode(base)), (signature) => [
      ...headers,
      ['content-digest', digest],
      ['signature-input', `${label}=${input}`],
      ['signature', `${label}=:${encodeBase64(signature)}:`],
    ]);
  });
}
