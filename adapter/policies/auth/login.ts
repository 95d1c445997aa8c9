import { isMessage, type Message } from '@bufbuild/protobuf';
import {
  type CheckUserAndKeyboardInteractiveRequest,
  CheckUserAndKeyboardInteractiveRequestSchema,
  type CheckUserAndPassRequest,
  CheckUserAndPassRequestSchema,
  type CheckUserAndPublicKeyRequest,
  CheckUserAndPublicKeyRequestSchema,
  type CheckUserAndTLSCertRequest,
  CheckUserAndTLSCertRequestSchema,
} from '../../../proto/gen/sftpgo/auth_pb.ts';
import { JsonError, parseJson } from '../../json/parse.ts';
import { isArray, isNumber, isObject, type Json, type JsonObject } from '../../json/tree.ts';
import type { Offered } from './ceiling.ts';
import { inputInvalid } from './refuse.ts';

/** A request that asks about a user. */
export type LoginRequest =
  | CheckUserAndPassRequest
  | CheckUserAndTLSCertRequest
  | CheckUserAndPublicKeyRequest
  | CheckUserAndKeyboardInteractiveRequest;

const schemas = [
  CheckUserAndPassRequestSchema,
  CheckUserAndTLSCertRequestSchema,
  CheckUserAndPublicKeyRequestSchema,
  CheckUserAndKeyboardInteractiveRequestSchema,
];

/** Does the call ask about a user? The fifth RPC, a step of a dialogue, does not. */
export function isLogin(input: Message): input is LoginRequest {
  return schemas.some((schema) => isMessage(input, schema));
}

/** The user that the host sent with a login. Throws INPUT_INVALID. */
export function recordOf({ user }: LoginRequest): { record: JsonObject; isNew: boolean } {
  let record: Json;
  try {
    record = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(user));
  } catch (error) {
    const why = error instanceof JsonError ? error.message : 'it is not UTF-8';
    throw inputInvalid(`the user that the host sent is refused: ${why}`, 'one JSON object');
  }
  const id = isObject(record) ? record.get('id') : undefined;
  if (!isObject(record) || !isNumber(id) || !/^\d{1,19}$/.test(id.number)) {
    throw inputInvalid('the host sent no user with an id', 'a JSON object with "id"');
  }
  return { record, isNew: id.number === '0' };
}

/** What the client offered, which the answer may therefore add to the user. */
export function offeredIn(request: LoginRequest): Offered {
  if (isMessage(request, CheckUserAndPublicKeyRequestSchema)) return { publicKey: request.pubKey };
  if (isMessage(request, CheckUserAndTLSCertRequestSchema)) return { certificate: request.tlsCert };
  return {};
}

/**
 * Is it a password over FTP with SFTPGo's own one-time code at its end? Whatever the function answers, the host would
 * then store the hash of both together and refuse every later login.
 */
export function hasCodeInPassword(request: LoginRequest, record: JsonObject): boolean {
  if (!isMessage(request, CheckUserAndPassRequestSchema) || request.protocol !== 'FTP') return false;
  const filters = record.get('filters');
  const totp = isObject(filters) ? filters.get('totp_config') : undefined;
  if (!isObject(totp) || totp.get('enabled') !== true) return false;
  const protocols = totp.get('protocols');
  return isArray(protocols) && protocols.includes('FTP');
}
