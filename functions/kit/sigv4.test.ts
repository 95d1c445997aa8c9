import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { expect, test } from 'vitest';
import { signPost } from './sigv4.ts';

/** node:crypto in the shape that AWS's own signer wants. */
class Sha256 {
  readonly #digest: Hash | Hmac;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#digest =
      secret === undefined
        ? createHash('sha256')
        : createHmac('sha256', typeof secret === 'string' ? secret : Buffer.from(secret as Uint8Array));
  }
  update(data: Uint8Array | string) {
    this.#digest.update(data);
  }
  async digest() {
    return new Uint8Array(this.#digest.digest());
  }
  reset() {}
}

test.each([
  ['of Lambda', 'https://ssm.eu-central-1.amazonaws.com', 'a/session+token=='],
  ['without a session', 'https://ssm.cn-north-1.amazonaws.com.cn', undefined],
  ['to a port of this machine', 'http://127.0.0.1:4566', 'token'],
])('credentials %s: signs as the signer of the AWS SDK does', async (_, endpoint, sessionToken) => {
  const url = new URL(endpoint);
  const credentials = {
    accessKeyId: 'AKIDEXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
    ...(sessionToken === undefined ? {} : { sessionToken }),
  };
  const now = new Date('2026-11-22T14:05:09.123Z');
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AmazonSSM.GetParameter' };
  const body = JSON.stringify({ Name: '/plugins/büro', WithDecryption: true });
  const post = { endpoint: url, region: 'eu-central-1', service: 'ssm', headers, body };
  const sdk = new SignatureV4({ credentials, region: 'eu-central-1', service: 'ssm', sha256: Sha256 });
  const theirs = await sdk.sign(
    {
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      path: '/',
      query: {},
      headers: { ...headers, host: url.host },
      body,
    },
    { signingDate: now },
  );
  const { 'x-amz-content-sha256': digest, ...expected } = theirs.headers;
  const ours = signPost(
    { ...post, headers: { ...headers, ...(digest === undefined ? {} : { 'x-amz-content-sha256': digest }) } },
    credentials,
    now,
  );
  expect(ours).toEqual({ ...expected, ...(digest === undefined ? {} : { 'x-amz-content-sha256': digest }) });
});
