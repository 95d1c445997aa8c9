import { Buffer } from 'node:buffer';
import { PluginError } from '../../../proto/error.ts';
import { UnreachableError } from '../https/send.ts';

/** What an error of the AWS SDK says, whatever its class. */
interface AwsFailure {
  readonly name: string;
  readonly code: string;
  readonly reason: string;
}

function read(error: unknown): AwsFailure {
  const { name, code, Reason: reason } = Object(error) as Record<string, unknown>;
  const word = (value: unknown) => (typeof value === 'string' && /^[\w.]{1,80}$/.test(value) ? value : '');
  return { name: word(name), code: word(code), reason: word(reason) };
}

/** Errors that AWS raises before the function's code starts, with what mends them. */
const beforeStart: readonly (readonly [names: RegExp, remedy: string])[] = [
  [/^TooManyRequestsException$/, "Raise the function's reserved concurrency or the account's limit."],
  [
    /^AccessDenied/,
    "Allow lambda:InvokeFunction on function:NAME:* to the adapter's role or user: docs/lambda.md.",
  ],
  [
    /^(?:UnrecognizedClient|InvalidClientTokenId|ExpiredToken|InvalidSignature|MissingAuthenticationToken|IncompleteSignature|SignatureDoesNotMatch|RequestExpired)/,
    'Check the credentials (`aws` in the configuration) and the clock of this machine.',
  ],
  [
    /^(?:CredentialsProvider|TokenProvider|ProviderError)/,
    'Set `aws.credentialsFile`, or give this machine a role.',
  ],
  [
    /^KMS/,
    "Enable the KMS key of the function's variables and allow kms:Decrypt on it to the execution role.",
  ],
  [
    /^(?:ENI|EC2|Subnet|InvalidSubnet|InvalidSecurityGroup)/,
    "Check the subnets and the security groups of the function's VPC.",
  ],
  [/^(?:EFS|S3Files)/, 'The functions of this project mount no file system: remove it from the function.'],
  [/^(?:InvalidRuntime|InvalidZipFile)/, 'Deploy the zip that `build` made, with the runtime nodejs24.x.'],
  [
    /^(?:Resource(?:Conflict|NotReady)|SnapStart|CodeArtifact|ModeNotSupported|NoPublishedVersion|RecursiveInvocation)/,
    'Look at the state of this version in the Lambda console.',
  ],
];

const networkBefore =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED)/;

/**
 * An error of Invoke as one of ours: happened, expected, remedy; whether the function may have run; and never what
 * AWS quotes of the request.
 */
export function invokeFailure(error: unknown, functionName: string, version: string): PluginError {
  if (error instanceof PluginError) return error;
  const { name, code, reason } = read(error);
  const what = `version ${version} of ${functionName}`;
  switch (name) {
    case 'ResourceNotFoundException':
      return new PluginError('DRIFT', {
        happened: `AWS has no ${what}`,
        expected: 'the version in the lock',
        remedy: 'Publish it again and build a new lock with its number, or correct the ARN.',
        cause: error,
      });
    case 'RequestTooLargeException':
    case 'SerializedRequestEntityTooLargeException':
      return new PluginError('OVERLOADED', {
        happened: `the request is too large for Lambda (${name})`,
        expected: "less than 6291456 bytes: AWS's limit for synchronous invocations",
        remedy:
          'Make the record smaller, or deploy the function to a target without this limit: https or local.',
        cause: error,
      });
    case 'InvalidRequestContentException':
    case 'UnsupportedMediaTypeException':
    case 'InvalidParameterValueException':
    case 'ValidationException':
      return new PluginError('INTERNAL', {
        happened: `Lambda did not accept the invocation of ${what} (${name})`,
        expected: 'an invocation as AWS documents it',
        remedy: 'Report this with the log.',
        cause: error,
      });
    default: {
      const [, remedy] = beforeStart.find(([names]) => names.test(name)) ?? [];
      const before = remedy !== undefined || networkBefore.test(code) || isConnectTimeout(error, name);
      const detail = [name, code, reason].filter((part) => part !== '' && part !== 'Error').join(', ');
      return new UnreachableError(
        `${what} could not be invoked (${detail || 'unknown error'})`,
        before,
        error,
        {
          expected: 'an invocation by AWS Lambda',
          remedy: remedy ?? 'Check network and DNS to the Lambda API; `call` shows a single attempt.',
          throttled: name === 'TooManyRequestsException',
        },
      );
    }
  }
}

/** The SDK gives a connection that breaks the same name: only its words tell that none was ever up. */
function isConnectTimeout(error: unknown, name: string): boolean {
  const { message } = error instanceof Error ? error : { message: '' };
  return name === 'TimeoutError' && message.includes('did not establish a connection');
}

/** Runtime.ImportModuleError, Runtime.ExitError, … of Lambda; or the name of an error that the function threw. */
const remedies: readonly (readonly [types: RegExp, remedy: string])[] = [
  [/^Sandbox\.Timedout$|Timeout$/, "Raise the function's timeout, or look for what it waits for."],
  [/^Runtime\.OutOfMemory$/, "Raise the function's memory."],
  [
    /^Runtime\.(?:ImportModuleError|HandlerNotFound|MalformedHandlerName|UserCodeSyntaxError|CannotFindModule)/,
    'Deploy the zip that `build` made, with the handler index.handler and the runtime nodejs24.x.',
  ],
  [/^Function\.ResponseSizeTooLarge$/, 'Answer with less: merge instead of replace, fewer events a page.'],
  [
    /^PluginError$/,
    "The function's init failed: look into its log; mostly PLUGIN_KEY_PARAMETER or its permission.",
  ],
];

/**
 * The failure of the function itself: an exception, a time-out of Lambda's, a crash, an init that failed. Its text
 * may hold what the author knows, so only AWS's type of error is told.
 */
export function functionFailure(payload: Uint8Array, functionName: string, version: string): PluginError {
  const { errorType } = parse(payload);
  const type = typeof errorType === 'string' && /^[\w.]{1,64}$/.test(errorType) ? errorType : 'unknown error';
  const happened = `version ${version} of ${functionName} failed without an answer (${type})`;
  const expected = 'an answer of the handler';
  const remedy =
    remedies.find(([types]) => types.test(type))?.[1] ?? 'Look into the log of the function in CloudWatch.';
  if (type === 'Sandbox.Timedout') return new PluginError('DEADLINE', { happened, expected, remedy });
  return new UnreachableError(happened, false, undefined, { expected, remedy });
}

function parse(payload: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(Buffer.from(payload).toString('utf8')));
  } catch {
    return {};
  }
}
