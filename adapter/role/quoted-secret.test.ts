import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { formatReason } from '../../proto/facts.ts';
import { CheckUserAndPassRequestSchema, KeyboardAuthRequestSchema } from '../../proto/gen/sftpgo/auth_pb.ts';
import { CheckIPRequestSchema } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { ProviderEventSchema } from '../../proto/gen/sftpgo/notifier_pb.ts';
import { quotesSecret } from './quoted-secret.ts';

const password = 'correct "horse"\n\\ bättery';
const user = JSON.stringify({
  username: 'anna',
  password: '$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68L',
});
const login = create(CheckUserAndPassRequestSchema, {
  username: 'anna',
  password,
  ip: '192.0.2.7',
  user: new TextEncoder().encode(user),
});
const bytes = Buffer.from(password);
const quotes = (text: string, input: Parameters<typeof quotesSecret>[0] = login) =>
  quotesSecret(input, formatReason(text));

test.each<[string, string]>([
  ['as it is', password],
  ['in JSON', JSON.stringify({ password })],
  ['in JSON in JSON', JSON.stringify(JSON.stringify({ password }))],
  ['in base64', bytes.toString('base64')],
  ['in base64 after another byte', Buffer.from(`:${password}`).toString('base64')],
  ['in base64 after two', Buffer.from(`a:${password}`).toString('base64')],
  ['in base64url', Buffer.from(`a:${password}`).toString('base64url')],
  ['in hexadecimal', bytes.toString('hex')],
  ['in upper case hexadecimal', bytes.toString('hex').toUpperCase()],
  ['to its half', password.slice(0, 16)],
])('a password that is quoted %s is found', (_, text) => {
  expect(quotes(`wrong password ${text} for anna`)).toBe(true);
});

test('a hash of the user record is found, in a text that was cut as well', () => {
  expect(quotes('hash $2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68L does not fit')).toBe(true);
  expect(quotes(`${'x'.repeat(180)} ${user}`)).toBe(true);
});

test('short secrets are found as a whole', () => {
  const step = create(KeyboardAuthRequestSchema, { answers: ['', '123456', 'ab'], step: 2 });
  expect(quotes('the code 123456 is old', step)).toBe(true);
  expect(quotes(`code ${Buffer.from('123456').toString('hex')}`, step)).toBe(true);
  expect(quotes('about', step)).toBe(true);
  expect(quotes('the code is old', step)).toBe(false);
});

test('what an author should say is left', () => {
  for (const text of [
    '',
    'no such user',
    'anna is disabled',
    'the second factor is wrong (anna, 192.0.2.7)',
  ]) {
    expect(quotes(text)).toBe(false);
  }
  expect(quotes('198.51.100.7 is not ours', create(CheckIPRequestSchema, { ip: '198.51.100.7' }))).toBe(
    false,
  );
});

test('a record too large to be searched counts as quoted', () => {
  const objectData = new Uint8Array(70_000).fill(0x61);
  expect(quotes('full', create(ProviderEventSchema, { objectData }))).toBe(true);
  expect(quotes('full', create(ProviderEventSchema, { objectData: objectData.slice(0, 60_000) }))).toBe(
    false,
  );
});
