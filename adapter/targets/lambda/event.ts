import { Buffer } from 'node:buffer';
import { PluginError } from '../../../proto/error.ts';
import type { HttpAnswer, HttpMessage } from '../../shapes.ts';

/** AWS's limit: "Request must be smaller than 6291456 bytes for the InvokeFunction operation". */
const maxEventBytes = 6_291_456;

/**
 * A request as an event of API Gateway's payload format 2.0, the body as base64
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html).
 *
 * Throws OVERLOADED, before anything is sent, when Lambda would not carry it.
 */
export function toEvent({ url, headers, body }: HttpMessage): Uint8Array {
  const path = new URL(url).pathname;
  const event = Buffer.from(
    JSON.stringify({
      version: '2.0',
      routeKey: '$default',
      rawPath: path,
      rawQueryString: '',
      headers: Object.fromEntries(headers),
      requestContext: { http: { method: 'POST', path } },
      body: Buffer.from(body).toString('base64'),
      isBase64Encoded: true,
    }),
  );
  if (event.byteLength < maxEventBytes) return event;
  throw new PluginError('OVERLOADED', {
    happened: `a request of ${body.byteLength} bytes does not fit into an invocation of Lambda (${event.byteLength} bytes with base64)`,
    expected: `less than ${maxEventBytes} bytes: AWS's limit for synchronous invocations`,
    remedy:
      'Make the record smaller, or deploy the function to a target that takes 6 MiB without base64: https or local.',
  });
}

/**
 * The answer of a handler as the HTTP answer that it carries.
 *
 * Throws ANSWER_UNSIGNED for anything that the kit's handler cannot have returned.
 */
export function fromAnswer(payload: Uint8Array, executed: string): HttpAnswer {
  const { statusCode, headers, body, isBase64Encoded } = parse(payload);
  const bytes =
    typeof body === 'string' && isBase64Encoded === true ? Buffer.from(body, 'base64') : undefined;
  const fields = typeof headers === 'object' && headers !== null ? Object.entries(headers) : [];
  if (
    typeof statusCode !== 'number' ||
    bytes === undefined ||
    // Buffer forgives what is not base64; two texts for the same bytes must not pass
    bytes.toString('base64') !== body ||
    !fields.every((field): field is [string, string] => typeof field[1] === 'string')
  ) {
    throw new PluginError('ANSWER_UNSIGNED', {
      happened: 'the function returned something other than an answer of payload format 2.0',
      expected: 'statusCode, headers and a body in base64, as the handler of the kit returns',
      remedy: 'Deploy the zip that `build` made, with the handler index.handler.',
    });
  }
  return {
    status: statusCode,
    headers: fields.map(([name, value]) => [name.toLowerCase(), value] as const),
    body: bytes,
    executed,
  };
}

function parse(payload: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(Buffer.from(payload).toString('utf8')));
  } catch {
    return {};
  }
}
