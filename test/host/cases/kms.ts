import { expect } from 'vitest';
import { base64, type RpcCase } from './case.ts';

const url = 'awskms://alias/sftpgo?region=eu-central-1';
const forbidden = 'awskms://forbidden';

/** Made by Go's x/crypto: secret key 00…1f, nonce 64…7b (hex), additional data "user1", master key "master-key". */
const vector = {
  key: Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('hex'),
  box: 'ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7w3/nelMm7WrEDCNYqTk1NZGteHDl9S0nDw==',
};

/** The two RPCs of kms; the same with every SDK. */
export function kmsCases(): readonly RpcCase[] {
  return [
    {
      rpc: 'Encrypt',
      method: 'Encrypt',
      accepted: [
        {
          args: ['my secret', 'user1', url, 'master-key'],
          // a sealed box: 24 bytes of nonce, 16 of tag, 9 of text
          arrives: { payload: expect.stringMatching(/^[\w+/]{66}==$|^[\w+/]{68}$|^[\w+/]{67}=$/), url },
          returns: [expect.stringMatching(/^[\w+/]+=*$/), expect.stringMatching(/^[0-9a-f]{64}$/), 1],
        },
        {
          args: ['my secret', 'user1', url, ''],
          arrives: { payload: 'my secret', url },
          returns: [base64('my secret'), '', 0],
        },
      ],
      refused: [{ args: ['my secret', 'user1', forbidden, 'master-key'], code: 'FailedPrecondition' }],
    },
    {
      rpc: 'Decrypt',
      method: 'Decrypt',
      accepted: [
        {
          args: [base64(vector.box), vector.key, 'user1', 1, url, 'master-key'],
          arrives: { payload: base64(vector.box), url },
          returns: ['my secret'],
        },
        {
          args: [base64('my secret'), '', 'user1', 0, url, ''],
          arrives: { payload: base64('my secret'), url },
          returns: ['my secret'],
        },
      ],
      refused: [
        {
          args: [base64(vector.box), vector.key, 'user1', 1, forbidden, 'master-key'],
          code: 'FailedPrecondition',
        },
      ],
    },
  ];
}
