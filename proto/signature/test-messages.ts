import { generateKeyPairSync } from 'node:crypto';
import { encodeBase64 } from '../base64.ts';
import type { PrivateJwk, PublicJwk } from '../keys/jwk.ts';
import { type Component, signatureBase } from './base.ts';
import type { AnswerMessage, HeaderList, RequestMessage } from './message.ts';
import { messageSource } from './message-source.ts';
import { nodeCrypto, nodeSigningKey, nodeVerifyingKey } from './node.ts';
import { NonceMemory } from './nonces.ts';
import { type KeyRing, keyRing, type SignatureCrypto, type SigningKey, type VerifyingKey } from './port.ts';
import { componentList } from './profile.ts';
import { signAnswer } from './sign-answer.ts';
import { signRequest } from './sign-request.ts';
import type { VerifyRequestOptions } from './verify-request.ts';
import { webCrypto, webSigningKey, webVerifyingKey } from './web.ts';

/** The second at which the tests' messages are signed. */
export const nowS = 1_800_000_000;

/** One implementation of the port. */
export interface Library {
  readonly crypto: SignatureCrypto;
  signingKey(jwk: PrivateJwk): SigningKey | Promise<SigningKey>;
  verifyingKey(jwk: PublicJwk): VerifyingKey | Promise<VerifyingKey>;
}

/** Both implementations, for tables that run with each. */
export const libraries: Readonly<Record<'node' | 'web', Library>> = {
  node: { crypto: nodeCrypto, signingKey: nodeSigningKey, verifyingKey: nodeVerifyingKey },
  web: { crypto: webCrypto, signingKey: webSigningKey, verifyingKey: webVerifyingKey },
};

/** A fresh Ed25519 key pair. */
export function newJwk(): PrivateJwk {
  return generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as unknown as PrivateJwk;
}

const bytes = (text: string) => new TextEncoder().encode(text);

/** An unsigned call, with headers replaced, added, or dropped by `undefined`. */
export function plainRequest(changes: Readonly<Record<string, string | undefined>> = {}): RequestMessage {
  const headers: Record<string, string | undefined> = {
    'content-type': 'application/json',
    'accept-encoding': 'identity',
    'connect-protocol-version': '1',
    'connect-timeout-ms': '800',
    'plugin-function': 'office@live',
    'plugin-call-id': '000102030405060708090a0b0c0d0e0f',
    ...changes,
  };
  return {
    method: 'POST',
    url: 'https://office.example/proto.IPFilter/CheckIP',
    headers: Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    body: bytes('{"ip":"203.0.113.7","protocol":"SSH"}'),
  };
}

/** An unsigned answer. */
export function plainAnswer(extra: HeaderList = []): AnswerMessage {
  return {
    status: 200,
    headers: [
      ['content-type', 'application/json'],
      ['plugin-cache', 'max-age=60'],
      ['plugin-reason', 'banned, 3 strikes'],
      ['plugin-version', 'v1'],
      ...extra,
    ],
    body: bytes('{}'),
  };
}

/** An adapter, a function and a stranger, with one call and its answer, all good until a test spoils them. */
export interface Stage {
  readonly crypto: SignatureCrypto;
  readonly adapter: SigningKey;
  readonly function: SigningKey;
  readonly stranger: SigningKey;
  readonly adapters: KeyRing;
  readonly functions: KeyRing;
  readonly request: RequestMessage;
  /** Another call of the same adapter, signed in the same second. */
  readonly otherRequest: RequestMessage;
  readonly answer: AnswerMessage;
  /** For `verifyRequest`, with a fresh memory of nonces at each look. */
  readonly options: VerifyRequestOptions;
}

/** Sets the stage with one implementation of the port. */
export async function stage({ crypto, signingKey, verifyingKey }: Library): Promise<Stage> {
  const jwks = { adapter: newJwk(), function: newJwk() };
  const adapter = await signingKey(jwks.adapter);
  const functionKey = await signingKey(jwks.function);
  const adapters = keyRing([await verifyingKey(jwks.adapter)]);
  const send = async (plain: RequestMessage) => ({
    ...plain,
    headers: await signRequest(plain, { key: adapter, crypto, nowS }),
  });
  const request = await send(plainRequest());
  const plain = plainAnswer();
  return {
    crypto,
    adapter,
    function: functionKey,
    stranger: await signingKey(newJwk()),
    adapters,
    functions: keyRing([await verifyingKey(jwks.function)]),
    request,
    otherRequest: await send(plainRequest()),
    answer: { ...plain, headers: await signAnswer(plain, { request, key: functionKey, crypto, nowS }) },
    get options() {
      const nonces = new NonceMemory({ maxEntries: 100 });
      return { keys: adapters, crypto, nowS, nonces, functionName: 'office@live' };
    },
  };
}

/** Changes the value of every line of one header. */
export function edit<M extends { headers: HeaderList }>(
  message: M,
  name: string,
  change: (value: string) => string,
): M {
  const headers = message.headers.map(([n, value]) => [n, n === name ? change(value) : value] as const);
  return { ...message, headers };
}

/** Takes a header away. */
export function drop<M extends { headers: HeaderList }>(message: M, ...names: readonly string[]): M {
  return { ...message, headers: message.headers.filter(([name]) => !names.includes(name)) };
}

/** Adds header lines at the end. */
export function add<M extends { headers: HeaderList }>(message: M, ...lines: HeaderList): M {
  return { ...message, headers: [...message.headers, ...lines] };
}

/**
 * Signs a message outside the profile, as a careless holder of a listed key would: any components, any parameters,
 * over whatever content-digest is in the headers.
 */
export async function forge<M extends RequestMessage | AnswerMessage>(
  message: M,
  key: SigningKey,
  components: readonly Component[],
  parameters: string,
  request?: RequestMessage,
): Promise<M> {
  const input = componentList(components) + parameters;
  const bare = drop(message, 'signature', 'signature-input');
  const base = signatureBase(components, input, messageSource(bare), request && messageSource(request));
  const signature = encodeBase64(await key.sign(bytes(base)));
  return add(bare, ['signature-input', `sig=${input}`], ['signature', `sig=:${signature}:`]);
}
