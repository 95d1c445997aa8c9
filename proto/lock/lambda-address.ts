/** The parts of a Lambda function's ARN that the adapter needs. */
export interface LambdaAddress {
  /** `eu-central-1`. */
  readonly region: string;
  /** `office`. */
  readonly name: string;
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html, "FunctionName", full ARN without a qualifier. */
const arn =
  /^arn:aws(?:-[a-z-]+)?:lambda:([a-z]{2}(?:-[a-z]+)+-\d{1,2}):\d{12}:function:([A-Za-z0-9_-]{1,64})$/;

/**
 * Reads the address of a lambda function in a lock: its ARN without version or alias.
 *
 * Takes the address; returns its parts, or `{ problem }` in words for the reader of the lock.
 */
export function parseLambdaAddress(address: string): LambdaAddress | { problem: string } {
  const [, region, name] = arn.exec(address) ?? [];
  if (region === undefined || name === undefined) {
    return {
      problem: 'expected the ARN of a function without version: arn:aws:lambda:REGION:ACCOUNT:function:NAME',
    };
  }
  return { region, name };
}

/**
 * The origin of one version of a Lambda function in a call's @target-uri. No such host exists (RFC 6761 section
 * 6.4): adapter and function each build it, the function from the Lambda context and never from the payload, so a
 * signature fits one version of one function.
 */
export function lambdaOrigin(name: string, version: string): string {
  return `https://${name}.${version}.lambda.invalid`.toLowerCase();
}
