/** An error as AWS answers it: status, name, and the keys of the body. */
export interface AwsError {
  readonly status: number;
  /** `ResourceNotFoundException`. */
  readonly type: string;
  readonly message: string;
  /** Whose fault it is. Absent: `User`. */
  readonly fault?: 'User' | 'Service';
  /** Of TooManyRequestsException. */
  readonly reason?: string;
}

/** Body of an error of the Lambda API: some of its errors spell the key of the text with a capital. */
export function lambdaErrorBody({ status, message, fault = 'User', reason }: AwsError): string {
  const key = status === 404 || status === 403 || status >= 500 ? 'Message' : 'message';
  return JSON.stringify({ Type: fault, [key]: message, ...(reason === undefined ? {} : { Reason: reason }) });
}

/** 404 for a function or a version that does not exist. */
export function notFound(arn: string): AwsError {
  return { status: 404, type: 'ResourceNotFoundException', message: `Function not found: ${arn}` };
}

/** 429 as a function's own limit causes it. */
export const throttled: AwsError = {
  status: 429,
  type: 'TooManyRequestsException',
  message: 'Rate Exceeded.',
  reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
};

/** 403 as a missing permission causes it. */
export function accessDenied(action: string): AwsError {
  const message = `User: arn:aws:sts::123456789012:assumed-role/sftpgo/host is not authorized to perform: ${action}`;
  return { status: 403, type: 'AccessDeniedException', message };
}
