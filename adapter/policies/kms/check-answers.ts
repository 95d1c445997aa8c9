import type { MessageShape } from '@bufbuild/protobuf';
import { decodeBase64 } from '../../../proto/base64.ts';
import { PluginError } from '../../../proto/error.ts';
import type { DecryptResponseSchema, EncryptResponseSchema } from '../../../proto/gen/sftpgo/kms_pb.ts';
import type { Policy } from '../../shapes.ts';
import { decryptRequest, encryptRequest } from './requests.ts';

function refuse(rpc: string, happened: string, expected: string): PluginError {
  return new PluginError('ANSWER_INVALID', {
    happened: `the answer to ${rpc} ${happened}`,
    expected,
    remedy: 'Correct the function: SFTPGo could not store or read this secret.',
  });
}

/**
 * Refuses answers that SFTPGo refuses to store, or stores and can never decrypt. Stands below the cache, so that
 * no such answer is remembered.
 *
 * Throws ANSWER_INVALID.
 */
export function checkAnswers(): Policy {
  return {
    name: 'check-answers',
    wrap: (next) => async (call) => {
      const reply = await next(call);
      if (encryptRequest(call)) {
        const { payload, key, mode } = reply.output as MessageShape<typeof EncryptResponseSchema>;
        if (payload === '') throw refuse('Encrypt', 'has no payload', 'the encrypted secret');
        if (decodeBase64(payload) === undefined) {
          throw refuse('Encrypt', 'has a payload that is not canonical base64', 'base64, padded (RFC 4648)');
        }
        // at Decrypt they stay on the host: a function that relies on them could not read its own secrets
        if (key !== '' || mode !== 0) {
          throw refuse(
            'Encrypt',
            'has a key or a mode',
            'a payload alone: key and mode are made on the host',
          );
        }
      }
      const asked = decryptRequest(call);
      if (asked) {
        const { payload } = reply.output as MessageShape<typeof DecryptResponseSchema>;
        if (payload === '') throw refuse('Decrypt', 'has no payload', 'the decrypted secret');
        if (asked.key !== '' && decodeBase64(payload) === undefined) {
          throw refuse('Decrypt', 'is not canonical base64', 'the sealed text that was encrypted');
        }
      }
      return reply;
    },
  };
}
