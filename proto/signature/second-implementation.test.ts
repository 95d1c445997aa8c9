import { createSignatureSync, component as theirs, verifySignature } from 'http-message-sig';
import { describe, expect, test } from 'vitest';
import type { Component } from './base.ts';
import type { HeaderList } from './message.ts';
import type { SigningKey } from './port.ts';
import { answerComponents, requestComponents } from './profile.ts';
import { add, edit, libraries, nowS, plainAnswer, plainRequest, type Stage, stage } from './test-messages.ts';
import { verifyAnswer } from './verify-answer.ts';
import { verifyRequest } from './verify-request.ts';

const translated = (components: readonly Component[]) =>
  components.map(({ name, req, key }) =>
    theirs(name, { ...(req ? { req } : {}), ...(key === undefined ? {} : { key }) }),
  );

const fields = (headers: HeaderList) => headers.map(([name, value]) => ({ name, value }));

const signer = (key: SigningKey) => ({
  algorithm: 'ed25519',
  sign: (data: Uint8Array) => {
    const signature = key.sign(data);
    if (signature instanceof Promise) throw new Error('a synchronous key is wanted here');
    return signature;
  },
});

describe('http-message-sig, another implementation of RFC 9421', async () => {
  const set = await stage(libraries.node);
  const asRequest = ({ request }: Stage) =>
    ({ kind: 'request', method: 'POST', targetUri: request.url, fields: fields(request.headers) }) as const;
  const asAnswer = (answer: Stage['answer']) =>
    ({
      kind: 'response',
      status: answer.status,
      fields: fields(answer.headers),
      request: asRequest(set),
    }) as const;
  const policy = {
    algorithms: ['ed25519'],
    requiredComponents: ['content-digest'],
    requiredParameters: ['created', 'keyid', 'tag'],
    now: nowS,
  };
  const verifier = (ring: Stage['adapters']) => (candidate: { parameters: { keyid?: string } }) => {
    const key = ring(candidate.parameters.keyid ?? '');
    if (key === undefined) throw new Error('no such key');
    return { algorithm: 'ed25519', verify: (data: Uint8Array, bytes: Uint8Array) => key.verify(data, bytes) };
  };

  test('verifies our request', async () => {
    const verified = await verifySignature(asRequest(set), {
      policy: { ...policy, requiredParameters: [...policy.requiredParameters, 'expires', 'nonce'] },
      resolveVerifier: verifier(set.adapters),
    });
    expect(verified.parameters).toMatchObject({ keyid: set.adapter.keyid, tag: 'sftpgo-plugin-call' });
  });

  test('verifies our answer', async () => {
    const verified = await verifySignature(asAnswer(set.answer), {
      policy,
      resolveVerifier: verifier(set.functions),
    });
    expect(verified.parameters).toMatchObject({ keyid: set.function.keyid, tag: 'sftpgo-plugin-answer' });
  });

  test('refuses our answer once it is changed', async () => {
    const changed = edit(set.answer, 'plugin-cache', () => 'max-age=600');
    const verified = verifySignature(asAnswer(changed), { policy, resolveVerifier: verifier(set.functions) });
    await expect(verified).rejects.toThrow('verification failed');
  });

  test('signs a request that we accept', async () => {
    const plain = plainRequest();
    const digest = set.request.headers.find(([name]) => name === 'content-digest') ?? ['', ''];
    const message = add(plain, digest);
    const signed = createSignatureSync(
      { kind: 'request', method: 'POST', targetUri: plain.url, fields: fields(message.headers) },
      {
        label: 'sig',
        components: translated(requestComponents(['plugin-call-id', 'plugin-function'])),
        parameters: {
          created: nowS,
          keyid: set.adapter.keyid,
          nonce: 'AAAAAAAAAAAAAAAAAAAAAA',
          expires: nowS + 20,
          tag: 'sftpgo-plugin-call',
          alg: 'ed25519',
        },
        signer: signer(set.adapter),
      },
    );
    const request = add(message, ['signature', signed.signature], ['signature-input', signed.signatureInput]);
    await expect(verifyRequest(request, set.options)).resolves.toMatchObject({ expiresS: nowS + 20 });
  });

  test('signs an answer that we accept', async () => {
    const digest = set.answer.headers.find(([name]) => name === 'content-digest') ?? ['', ''];
    const message = add(plainAnswer(), digest);
    const signed = createSignatureSync(asAnswer(message), {
      label: 'sig',
      components: translated(answerComponents(['plugin-version', 'plugin-reason', 'plugin-cache'])),
      parameters: { created: nowS, keyid: set.function.keyid, tag: 'sftpgo-plugin-answer' },
      signer: signer(set.function),
    });
    const answer = add(message, ['signature', signed.signature], ['signature-input', signed.signatureInput]);
    const { request, functions: keys, crypto } = set;
    expect(await verifyAnswer(answer, { request, keys, crypto })).toMatchObject({ createdS: nowS });
  });
});
