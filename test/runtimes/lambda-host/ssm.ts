/** What SSM answers with. */
export interface SsmAnswer {
  readonly status: number;
  readonly json: object;
}

/**
 * Answers GetParameter of SSM (https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html)
 * for SecureStrings: without WithDecryption, with what is not the value.
 */
export function getParameter(
  target: unknown,
  payload: Buffer,
  { parameters, region }: { parameters: ReadonlyMap<string, string>; region: string },
): SsmAnswer {
  if (target !== 'AmazonSSM.GetParameter') return ssmError(400, 'UnknownOperationException');
  const { Name: name, WithDecryption: decrypted } = JSON.parse(payload.toString());
  const value = parameters.get(name);
  if (value === undefined) return ssmError(400, 'ParameterNotFound');
  const parameter = {
    ARN: `arn:aws:ssm:${region}:123456789012:parameter/${String(name).replace(/^\//, '')}`,
    DataType: 'text',
    LastModifiedDate: Date.now() / 1000,
    Name: name,
    Type: 'SecureString',
    Value: decrypted === true ? value : Buffer.from(`encrypted ${name}`).toString('base64'),
    Version: 1,
  };
  return { status: 200, json: { Parameter: parameter } };
}

/** An error of SSM, whose protocol is JSON 1.1. */
export function ssmError(status: number, type: string, message?: string): SsmAnswer {
  return { status, json: { __type: type, ...(message === undefined ? {} : { message }) } };
}
