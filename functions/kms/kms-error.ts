import type { ConnectCode } from '../kit/index.ts';
import { FunctionError } from '../kit/index.ts';

/**
 * What a failure of KMS means to the host. `invalid_argument`: this secret, with this key and context, never;
 * `failed_precondition`: somebody has to change keys or rights; `unavailable`: a later try may succeed.
 * Names: https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors and CommonErrors.
 */
const codes: Readonly<Record<string, readonly [code: ConnectCode, meaning: string]>> = {
  InvalidCiphertextException: ['invalid_argument', 'not encrypted by KMS under this encryption context'],
  IncorrectKeyException: ['invalid_argument', 'encrypted under another key'],
  ValidationException: [
    'invalid_argument',
    'KMS does not accept the request; a secret has at most 4096 bytes',
  ],
  InvalidGrantTokenException: ['invalid_argument', 'the grant token is invalid'],
  NotFoundException: ['failed_precondition', 'KMS knows no such key in this region and account'],
  InvalidArnException: ['failed_precondition', 'the ARN is not one of this KMS'],
  DisabledException: ['failed_precondition', 'the key is disabled'],
  KMSInvalidStateException: ['failed_precondition', 'the key is in a state in which it cannot be used'],
  InvalidKeyUsageException: [
    'failed_precondition',
    'the key is not for encryption with a symmetric algorithm',
  ],
  AccessDeniedException: ['failed_precondition', 'the role of the function lacks the right to use the key'],
  UnrecognizedClientException: ['failed_precondition', 'AWS does not know the credentials of the function'],
  InvalidSignatureException: ['failed_precondition', 'AWS refuses the signature of the function'],
  IncompleteSignature: ['failed_precondition', 'AWS refuses the signature of the function'],
  MissingAuthenticationTokenException: ['failed_precondition', 'the function has no credentials for AWS'],
  ExpiredTokenException: ['failed_precondition', 'the credentials of the function have expired'],
  CredentialsProviderError: ['failed_precondition', 'the function has no credentials for AWS'],
  ThrottlingException: ['unavailable', 'KMS throttles the requests of this account'],
  LimitExceededException: ['unavailable', 'a limit of KMS is exceeded'],
  DependencyTimeoutException: ['unavailable', 'KMS timed out'],
  KMSInternalException: ['unavailable', 'KMS failed'],
  KeyUnavailableException: ['unavailable', 'the key is not available for the moment'],
  InternalFailure: ['unavailable', 'KMS failed'],
  ServiceUnavailable: ['unavailable', 'KMS is not available'],
  AbortError: ['deadline_exceeded', 'KMS did not answer in time'],
  TimeoutError: ['unavailable', 'KMS cannot be reached'],
};

/**
 * The error of a failed call of KMS, with a fixed text: AWS's own names users and keys, and goes to the function's
 * log alone.
 */
export function kmsError(thrown: unknown): FunctionError {
  const name = thrown instanceof Error ? thrown.name : '';
  const known = Object.hasOwn(codes, name) ? codes[name] : undefined;
  const [code, meaning] = known ?? ['unavailable', 'KMS cannot be reached, or failed'];
  return new FunctionError(code, `${name === '' ? 'Error' : name}: ${meaning}`, { cause: thrown });
}
