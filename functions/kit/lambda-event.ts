import { Buffer } from 'node:buffer';

/** Printable ASCII and no more: what a header of a call can hold. */
const headerName = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
const headerValue = /^[\t -~]*$/;

/**
 * Reads an event of API Gateway's payload format 2.0
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html) as the
 * request that it carries, byte for byte. `origin` is the function's own; nothing in the event can change it.
 *
 * @returns undefined for anything else: another format, a path that is no RPC, a body that is not canonical base64
 */
export function lambdaEvent(event: unknown, origin: string): Request | undefined {
  const {
    version,
    rawPath,
    rawQueryString = '',
    headers,
    requestContext,
    body = '',
    isBase64Encoded,
  } = object(event);
  const { method } = object(object(requestContext)['http']);
  if (version !== '2.0' || method !== 'POST' || rawQueryString !== '') return undefined;
  // no character that a URL would rewrite: the signature covers the path as the adapter wrote it
  if (typeof rawPath !== 'string' || !/^\/[\w.]{1,64}\/\w{1,64}$/.test(rawPath)) return undefined;
  if (typeof body !== 'string' || isBase64Encoded !== true) return undefined;
  const bytes = Buffer.from(body, 'base64');
  // Buffer forgives what is not base64; two texts for the same bytes must not pass
  if (bytes.toString('base64') !== body) return undefined;
  const fields = Object.entries(object(headers));
  if (!fields.every(isField)) return undefined;
  const list = fields.filter(([name]) => name !== 'content-length');
  return new Request(origin + rawPath, {
    method,
    headers: [...list, ['content-length', String(bytes.byteLength)]],
    body: bytes,
  });
}

function isField(field: [string, unknown]): field is [string, string] {
  const [name, value] = field;
  return headerName.test(name) && typeof value === 'string' && headerValue.test(value);
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
