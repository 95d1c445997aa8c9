import fc from 'fast-check';
import type { HttpAnswer } from '../../../adapter/shapes.ts';

/** What a handler returns, as API Gateway's payload format 2.0 has it. */
type Payload = Readonly<Record<string, unknown>>;

/** An answer as the kit's handler returns it. Of headers with the same name the last one stays. */
export function payloadOf({ status, headers, body }: HttpAnswer): Payload {
  return {
    statusCode: status,
    headers: Object.fromEntries(headers),
    body: Buffer.from(body).toString('base64'),
    isBase64Encoded: true,
  };
}

/** Does a payload that arrived say what the honest one says, letter by letter, as far as an answer is made of it? */
export function saysTheSame(arrived: Uint8Array, honest: HttpAnswer): boolean {
  const { statusCode, body, isBase64Encoded } = payloadOf(honest);
  const found: unknown = JSON.parse(Buffer.from(arrived).toString());
  const { statusCode: status, body: text, isBase64Encoded: isEncoded } = Object(found);
  return status === statusCode && text === body && isEncoded === isBase64Encoded;
}

/** A payload as it is, in JSON. */
export const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value));
const odd = fc.constantFrom<unknown>(
  null,
  true,
  false,
  0,
  200,
  403,
  '200',
  '',
  '{}',
  'e30=',
  'e30',
  'e31=',
  'e3 0=',
  [],
  {},
  { 'plugin-scope': '0.0.0.0/0' },
  [['a', 'b']],
);
const field = fc.constantFrom(
  'statusCode',
  'headers',
  'body',
  'isBase64Encoded',
  'multiValueHeaders',
  'cookies',
  '__proto__',
);

const setField = fc.record({ field, odd }).map(
  ({ field, odd }) =>
    (payload: Payload) =>
      bytesOf({ ...payload, [field]: odd }),
);
const dropField = field.map((name) => (payload: Payload) => bytesOf({ ...payload, [name]: undefined }));
/** The same bytes, said in other letters: what two decoders could take for different ones. */
const respelledBody = fc
  .constantFrom<(body: string) => string>(
    (body) => body.replaceAll('=', ''),
    (body) => `${body}=`,
    (body) => `${body}\n`,
    (body) => body.replaceAll('+', '-').replaceAll('/', '_'),
    (body) => `${body.slice(0, 4)} ${body.slice(4)}`,
  )
  .map((respell) => (payload: Payload) => bytesOf({ ...payload, body: respell(String(payload['body'])) }));
const oddHeader = fc
  .record({
    name: fc.constantFrom('plugin-scope', 'Plugin-Scope', 'PLUGIN-CACHE', 'x-other', '__proto__', ''),
    odd,
  })
  .map(
    ({ name, odd }) =>
      (payload: Payload) =>
        bytesOf({ ...payload, headers: { ...Object(payload['headers']), [name]: odd } }),
  );
/** A key that comes twice in the text. */
const doubledField = fc.record({ field, odd }).map(({ field, odd }) => (payload: Payload) => {
  const text = JSON.stringify(payload);
  return Buffer.from(`${text.slice(0, -1)},${JSON.stringify(field)}:${JSON.stringify(odd)}}`);
});
/** What becomes of a payload on the way. */
export const payloadChanges: fc.Arbitrary<(payload: Payload) => Uint8Array> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(bytesOf) },
  setField,
  dropField,
  respelledBody,
  oddHeader,
  doubledField,
);
