import { decodeBase64 } from '../base64.ts';
import { after } from './after.ts';
import { type Component, type ComponentSource, signatureBase } from './base.ts';
import { contentDigest } from './digest.ts';
import type { Refuse } from './fields.ts';
import type { KeyRing, SignatureCrypto } from './port.ts';
import { componentList, label, signatureText } from './profile.ts';

const utf8 = new TextEncoder();
/** One parameter in the profile's grammar: a canonical integer, or a string without anything to escape. */
const parameter = /^([a-z]+)=(?:(0|[1-9]\d{0,14})|"([\w-]{1,64})")$/;
const numeric: ReadonlySet<string> = new Set(['created', 'expires']);

/** Signature parameters by name; numbers as their decimal text. */
export type Parameters = ReadonlyMap<string, string>;

/** Each required parameter once, in any order, and nothing else but `alg="ed25519"`. */
function parseParameters(text: string, required: readonly string[], refuse: Refuse): Parameters {
  const found = new Map<string, string>();
  const [before, ...rest] = text.split(';');
  if (before !== '') refuse('has malformed signature parameters');
  for (const part of rest) {
    const [, name, number, string] = parameter.exec(part) ?? [];
    const value = number ?? string;
    if (!name || value === undefined || found.has(name)) refuse('has malformed signature parameters');
    if (numeric.has(name) !== (number !== undefined)) refuse('has malformed signature parameters');
    found.set(name, value);
  }
  if ((found.get('alg') ?? 'ed25519') !== 'ed25519') refuse('is signed with another algorithm');
  found.delete('alg');
  if (found.size !== required.length || !required.every((name) => found.has(name))) {
    refuse('lacks a signature parameter or has one too many');
  }
  return found;
}

/** A message to verify and what its kind demands. */
export interface VerifyOptions {
  /** The profile's fields of the message. */
  readonly fields: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  readonly source: Omit<ComponentSource, 'field'>;
  readonly request?: ComponentSource;
  readonly keys: KeyRing;
  readonly crypto: SignatureCrypto;
  /** What must be covered, in this order. */
  readonly components: readonly Component[];
  readonly parameters: readonly string[];
  readonly tag: string;
  readonly refuse: Refuse;
}

/** What a good signature says. */
export interface VerifiedSignature {
  readonly parameters: Parameters;
  readonly keyid: string;
  /** The signature in base64. */
  readonly signature: string;
}

/**
 * Verifies either kind of message, cheapest check first: component list, parameters, key, digest, signature. The
 * list that the profile demands for this message is compared as text: a component that is missing, extra, doubled,
 * moved or taken from the wrong message makes it another text.
 */
export function verifyMessage(options: VerifyOptions): VerifiedSignature | Promise<VerifiedSignature> {
  const { fields, components } = options;
  const refuse: Refuse = options.refuse;
  const input = fields.get('signature-input') ?? '';
  const list = `${label}=${componentList(components)}`;
  if (!input.startsWith(list)) refuse('does not cover exactly what the profile demands');
  const parameters = parseParameters(input.slice(list.length), options.parameters, refuse);
  if (parameters.get('tag') !== options.tag) refuse('is signed for another purpose');
  for (const { name, req } of components) {
    if (!req && !name.startsWith('@') && !fields.has(name)) refuse('lacks a header that must be signed');
  }

  const keyid = parameters.get('keyid') ?? '';
  const key = options.keys(keyid) ?? refuse('is signed with a key that is not listed');

  const signature = signatureText.exec(fields.get('signature') ?? '')?.[1]?.slice(1, -1) ?? '';
  const bytes = decodeBase64(signature);
  if (bytes?.length !== 64) refuse('has a malformed signature');

  return after(contentDigest(options.body, options.crypto), (digest) => {
    if (digest !== fields.get('content-digest')) refuse('has a body that its digest does not fit');
    const base = signatureBase(
      components,
      input.slice(label.length + 1),
      { ...options.source, field: (name) => fields.get(name) },
      options.request,
    );
    return after(key.verify(utf8.encode(base), bytes), (good) =>
      good ? { parameters, keyid, signature } : refuse('has a signature that does not fit'),
    );
  });
}
