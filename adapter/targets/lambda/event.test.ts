import { expect, test } from 'vitest';
import { fromAnswer, toEvent } from './event.ts';

const message = (bytes: number) => ({
  url: 'https://office.7.lambda.invalid/proto.IPFilter/CheckIP',
  headers: [['content-type', 'application/json']] as const,
  body: new Uint8Array(bytes).fill(0xff),
});
const answer = {
  statusCode: 403,
  headers: { 'Content-Type': 'application/json' },
  body: 'e30=',
  isBase64Encoded: true,
};
const read = (value: unknown) => fromAnswer(Buffer.from(JSON.stringify(value)), '7');

test('a request travels as payload format 2.0, its body byte for byte', () => {
  expect(JSON.parse(Buffer.from(toEvent(message(3))).toString())).toMatchObject({
    version: '2.0',
    rawPath: '/proto.IPFilter/CheckIP',
    headers: { 'content-type': 'application/json' },
    requestContext: { http: { method: 'POST' } },
    body: '////',
    isBase64Encoded: true,
  });
});

test('up to the limit of Lambda a request is sent, above it nothing is', () => {
  const room = 6_291_456 - toEvent(message(0)).byteLength;
  const largest = Math.floor((room - 1) / 4) * 3;
  expect(toEvent(message(largest)).byteLength).toBeLessThan(6_291_456);
  expect(() => toEvent(message(largest + 3))).toThrow('less than 6291456 bytes');
});

test('an answer becomes HTTP with lower-case names and what AWS ran', () => {
  expect(read(answer)).toEqual({
    status: 403,
    headers: [['content-type', 'application/json']],
    body: Buffer.from('{}'),
    executed: '7',
  });
});

test.each<[string, unknown]>([
  ['nothing', null],
  ['text', 'ok'],
  ['a status as text', { ...answer, statusCode: '200' }],
  ['a body as text', { ...answer, isBase64Encoded: false }],
  ['no body', { ...answer, body: undefined }],
  ['base64 with stray bits', { ...answer, body: 'e31=' }],
  ['base64 without padding', { ...answer, body: 'e30' }],
  ['base64url', { ...answer, body: '__8=' }],
  ['a header that is no text', { ...answer, headers: { a: 1 } }],
])('%s is no answer of ours', (_, value) => {
  expect(() => read(value)).toThrow('something other than an answer of payload format 2.0');
});
