import { expect, test } from 'vitest';
import { KMS } from '../../../proto/gen/sftpgo/kms_pb.ts';
import { callOf, connectionTo } from '../../../test/support/invoke.ts';
import { newKey } from '../../../test/support/keys.ts';
import { encode } from '../../invoke/encode.ts';

const connection = connectionTo('http://127.0.0.1:1', { adapterKey: newKey(), functionKey: newKey() });
const canaries = {
  additionalData: 'canary-user',
  masterKey: 'canary-master',
  payload: 'YQ==',
  url: 'awskms://x',
};

test.each([
  ['Encrypt', callOf(KMS.method.encrypt, canaries)],
  ['Decrypt', callOf(KMS.method.decrypt, { ...canaries, key: 'canary-key', mode: 7 })],
])('of %s only payload and url are encoded for the wire', (_, call) => {
  const { headers, body } = encode(connection, call, '');
  expect(JSON.parse(Buffer.from(body).toString())).toEqual({ payload: 'YQ==', url: 'awskms://x' });
  expect(JSON.stringify(headers)).not.toContain('canary');
});
