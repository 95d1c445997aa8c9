import { constants, createHmac, createPublicKey, type JsonWebKeyInput, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { PrivateJwk, PublicJwk } from '../keys/jwk.ts';
import { component, signatureBase } from './base.ts';
import type { HeaderList } from './message.ts';
import { messageSource } from './message-source.ts';
import { nodeSigningKey, nodeVerifyingKey } from './node.ts';
import { componentList } from './profile.ts';
import { webSigningKey, webVerifyingKey } from './web.ts';

interface Message {
  method?: string;
  url?: string;
  status?: number;
  headers: HeaderList;
}
interface ComponentText {
  name: string;
  key?: string;
  queryName?: string;
  req?: boolean;
}
interface AppendixB2 {
  keys: Record<string, Record<string, string>>;
  request: Message;
  response: Message;
  cases: {
    section: string;
    alg: string;
    message: 'request' | 'response';
    components: ComponentText[];
    parameters: string;
    signature: string;
  }[];
}
interface AppendixB4 {
  key: PublicJwk;
  components: string[];
  parameters: string;
  signature: string;
  cases: (Message & { about: string; holds: boolean })[];
}
interface Section2 {
  messages: Record<string, Message>;
  cases: { section: string; message: string; component: ComponentText; value: string | null }[];
}

function vectors<T>(name: string): T {
  return JSON.parse(
    readFileSync(new URL(`../../test/vectors/rfc9421/${name}.json`, import.meta.url), 'utf8'),
  );
}

function baseOf(message: Message, components: ComponentText[], parameters: string): Uint8Array {
  const covered = components.map(({ name, ...rest }) => component(name, rest));
  const input = componentList(covered) + parameters;
  return new TextEncoder().encode(signatureBase(covered, input, messageSource(message)));
}

describe('RFC 9421 appendix B.2', () => {
  const { keys, request, response, cases } = vectors<AppendixB2>('appendix-b2');
  const publicKey = (name: string) => {
    const { d: _, ...jwk } = keys[name] ?? {};
    return createPublicKey({ key: jwk, format: 'jwk' } as JsonWebKeyInput);
  };

  test.each(cases)('$section has the signature of the appendix', async (each) => {
    const base = baseOf(each.message === 'request' ? request : response, each.components, each.parameters);
    const signature = Buffer.from(each.signature, 'base64');
    if (each.alg === 'rsa-pss-sha512') {
      const key = {
        key: publicKey('test-key-rsa-pss'),
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: 64,
      };
      expect(verify('sha512', base, key, signature)).toBe(true);
    } else if (each.alg === 'ecdsa-p256-sha256') {
      const key = { key: publicKey('test-key-ecc-p256'), dsaEncoding: 'ieee-p1363' } as const;
      expect(verify('sha256', base, key, signature)).toBe(true);
    } else if (each.alg === 'hmac-sha256') {
      const secret = Buffer.from(keys['test-shared-secret']?.['k'] ?? '', 'base64url');
      expect(createHmac('sha256', secret).update(base).digest('base64')).toBe(each.signature);
    } else {
      const jwk = keys['test-key-ed25519'] as unknown as PrivateJwk;
      for (const key of [nodeSigningKey(jwk), await webSigningKey(jwk)]) {
        expect(Buffer.from(await key.sign(base)).toString('base64')).toBe(each.signature);
      }
      for (const key of [nodeVerifyingKey(jwk), await webVerifyingKey(jwk)]) {
        expect(await key.verify(base, signature)).toBe(true);
      }
    }
  });

  test('all six are there', () => {
    expect(cases.map(({ section }) => section)).toEqual([
      'B.2.1',
      'B.2.2',
      'B.2.3',
      'B.2.4',
      'B.2.5',
      'B.2.6',
    ]);
  });
});

describe('RFC 9421 appendix B.4: what a proxy may change', () => {
  const { key, components, parameters, signature, cases } = vectors<AppendixB4>('appendix-b4');
  test.each(cases)('$about: holds $holds', ({ holds, ...message }) => {
    const base = baseOf(
      message,
      components.map((name) => ({ name })),
      parameters,
    );
    expect(nodeVerifyingKey(key).verify(base, Buffer.from(signature, 'base64'))).toBe(holds);
  });
});

describe('components, after RFC 9421 section 2', () => {
  const { messages, cases } = vectors<Section2>('section-2');
  const source = (name: string) => messageSource(messages[name] ?? { headers: [] });
  test.each(cases)('$section $component of $message is $value', ({ message, component: text, value }) => {
    const { name, ...parameters } = text;
    const covered = component(name, parameters);
    const related = message === 'answer' ? source('target') : undefined;
    const build = () => signatureBase([covered], '()', source(message), related);
    if (value === null) expect(build).toThrow(/no usable value for the covered component/);
    else expect(build()).toBe(`${covered.identifier}: ${value}\n"@signature-params": ()`);
  });
});
