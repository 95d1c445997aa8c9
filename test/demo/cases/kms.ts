import { equal, match } from 'node:assert/strict';
import type { Case } from '../board.ts';
import { secrets } from '../secrets.ts';

const url = 'awskms://alias/sftpgo?region=eu-central-1&context_app=sftpgo';

/** A secret of a user, sealed below the master key on the host, then encrypted by KMS, and back. */
export function kmsCases(): readonly Case[] {
  let stored: Readonly<Record<string, unknown>> = {};
  const host = { url, masterKey: secrets.masterKey, additionalData: secrets.username };
  return [
    {
      rpc: 'Encrypt',
      name: 'a storage key, below a master key',
      fields: () => ({ ...host, payload: secrets.storageKey }),
      expect: 'ok',
      check(output) {
        match(String(output['key']), /^[0-9a-f]{64}$/);
        stored = output;
      },
    },
    {
      rpc: 'Decrypt',
      name: 'the same, back',
      fields: () => ({ ...host, payload: stored['payload'], key: stored['key'], mode: stored['mode'] }),
      expect: 'ok',
      check: (output) => equal(output['payload'], secrets.storageKey),
    },
  ];
}
