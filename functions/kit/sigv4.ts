import { createHash, createHmac } from 'node:crypto';

/** What signs a request to AWS. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials, which Lambda's always are. */
  readonly sessionToken?: string;
}

/** One POST to the root of an AWS service. */
export interface AwsPost {
  /** Authority without a path: `https://ssm.eu-central-1.amazonaws.com`. */
  readonly endpoint: URL;
  /** `eu-central-1`. */
  readonly region: string;
  /** `ssm`. */
  readonly service: string;
  /** Lower-case names; all of them are signed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const hash = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

/**
 * Signs a POST to `/` with Signature Version 4
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
 *
 * Returns the headers to send: those given, `host`, `x-amz-date`, the session token and `authorization`.
 */
export function signPost(post: AwsPost, credentials: AwsCredentials, now: Date): Record<string, string> {
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const headers: Record<string, string> = {
    ...post.headers,
    host: post.endpoint.host,
    'x-amz-date': time,
    ...(credentials.sessionToken === undefined ? {} : { 'x-amz-security-token': credentials.sessionToken }),
  };
  const names = Object.keys(headers).sort();
  const lines = names.map((name) => `${name}:${headers[name]?.trim().replace(/ +/g, ' ')}\n`).join('');
  const signed = names.join(';');
  const scope = [time.slice(0, 8), post.region, post.service, 'aws4_request'];
  const canonical = ['POST', '/', '', lines, signed, hash(post.body)].join('\n');
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope.join('/'), hash(canonical)].join('\n'));
  const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope.join('/')}, SignedHeaders=${signed}, Signature=${signature.toString('hex')}`;
  return { ...headers, authorization };
}
