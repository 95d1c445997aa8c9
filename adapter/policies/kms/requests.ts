import type { MessageShape } from '@bufbuild/protobuf';
import { DecryptRequestSchema, EncryptRequestSchema } from '../../../proto/gen/sftpgo/kms_pb.ts';
import type { Call } from '../../shapes.ts';

/** What Encrypt was asked; undefined for other calls. */
export function encryptRequest(call: Call): MessageShape<typeof EncryptRequestSchema> | undefined {
  return call.input.$typeName === EncryptRequestSchema.typeName
    ? (call.input as MessageShape<typeof EncryptRequestSchema>)
    : undefined;
}

/** What Decrypt was asked; undefined for other calls. */
export function decryptRequest(call: Call): MessageShape<typeof DecryptRequestSchema> | undefined {
  return call.input.$typeName === DecryptRequestSchema.typeName
    ? (call.input as MessageShape<typeof DecryptRequestSchema>)
    : undefined;
}
