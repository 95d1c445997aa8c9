import { pluginHeaders } from '../facts.ts';
import { type Component, component } from './base.ts';

/** The label of the one signature in Signature-Input and Signature. */
export const label = 'sig';
/** The tag of a request's signature: what it was made for (RFC 9421 §2.3). */
export const requestTag = 'sftpgo-plugin-call';
/** The tag of an answer's signature. */
export const answerTag = 'sftpgo-plugin-answer';
/** The longest life of a request's signature, in seconds. */
export const maxLifeS = 30;
/** How far the clocks of both ends may be apart, in seconds. */
export const defaultSkewS = 30;

/** The Signature header of the profile: one member of 64 bytes; its group is what `;key="sig"` stands for. */
export const signatureText = /^sig=(:[\w+/]{86}==:)$/;

/** Signature parameters of a request; all are required. `alg` may be added, as `ed25519`. */
export const requestParameters = ['created', 'expires', 'nonce', 'keyid', 'tag'] as const;
/** Signature parameters of an answer; all are required. `alg` may be added, as `ed25519`. */
export const answerParameters = ['created', 'keyid', 'tag'] as const;

/** Header fields of the profile beside plugin-*: one line each at most, read by the signature alone. */
export const signatureFields = ['content-digest', 'signature-input', 'signature'] as const;
/** Header fields that a request has and its signature covers. */
export const requestFields = ['content-type', 'connect-protocol-version', 'connect-timeout-ms'] as const;

const requestHead = [
  '@method',
  '@target-uri',
  'content-type',
  'content-digest',
  'connect-protocol-version',
  'connect-timeout-ms',
].map((name) => component(name));
const answerHead = ['@status', 'content-type', 'content-digest'].map((name) => component(name));
const answerTail = [
  component('@method', { req: true }),
  component('@target-uri', { req: true }),
  component('content-digest', { req: true }),
  component('signature', { req: true, key: label }),
];

const pluginFields = new Map(
  Object.values(pluginHeaders).map((name): [string, Component] => [name, component(name)]),
);

function pluginComponents(names: Iterable<string>): Component[] {
  return [...names]
    .filter((name) => name.startsWith('plugin-'))
    .sort()
    .map((name) => pluginFields.get(name) ?? component(name));
}

/** What a request's signature covers, in order: every plugin-* field among `fieldNames`, sorted, comes last. */
export function requestComponents(fieldNames: Iterable<string>): readonly Component[] {
  return [...requestHead, ...pluginComponents(fieldNames)];
}

/** What an answer's signature covers, in order. The components with `;req` bind it to one request. */
export function answerComponents(fieldNames: Iterable<string>): readonly Component[] {
  return [...answerHead, ...pluginComponents(fieldNames), ...answerTail];
}

/** The inner list of Signature-Input for these components. */
export function componentList(components: readonly Component[]): string {
  return `(${components.map(({ identifier }) => identifier).join(' ')})`;
}
