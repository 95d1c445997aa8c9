import { expect, test } from 'vitest';
import { parseKeyUrl } from './key-url.ts';

const uuid = '12345678-1234-1234-1234-123456789012';
const arn = `arn:aws:kms:eu-central-1:111122223333:key/${uuid}`;

test.each([
  ['awskms://alias/sftpgo', 'alias/sftpgo'],
  ['awskms://alias/team/Secrets_1', 'alias/team/Secrets_1'],
  [`awskms://${uuid}`, uuid],
  ['awskms://mrk-1234567890abcdef1234567890abcdef', 'mrk-1234567890abcdef1234567890abcdef'],
  [`awskms:///${arn}`, arn],
  [
    'awskms:///arn:aws:kms:eu-central-1:111122223333:alias/sftpgo',
    'arn:aws:kms:eu-central-1:111122223333:alias/sftpgo',
  ],
])('%s names the key %s', (url, keyId) => {
  expect(parseKeyUrl(url)).toEqual({ keyId, fips: false, dualstack: false, context: {} });
});

test('every parameter that a function can follow is read', () => {
  const query = [
    'region=eu-central-1',
    'endpoint=https%3A%2F%2Fkms.example.com',
    'profile=sftpgo',
    'role=arn:aws:iam::111122223333:role/kms',
    'fips=true',
    'dualstack=true',
    'awssdk=v2',
    'context_app=sftpgo',
    'context_a.b=c+d%20e%2Bf',
    'context_empty=',
  ];
  expect(parseKeyUrl(`awskms://alias/sftpgo?${query.join('&')}`)).toEqual({
    keyId: 'alias/sftpgo',
    region: 'eu-central-1',
    endpoint: 'https://kms.example.com',
    profile: 'sftpgo',
    role: 'arn:aws:iam::111122223333:role/kms',
    fips: true,
    dualstack: true,
    context: { app: 'sftpgo', 'a.b': 'c d e+f', empty: '' },
  });
});

test.each([
  ['', 'expected awskms://'],
  ['gcpkms://projects/p', 'expected awskms://'],
  ['AWSKMS://alias/sftpgo', 'expected awskms://'],
  ['awskms:alias/sftpgo', 'expected awskms://'],
  ['awskms://alias/sftpgo#part', 'expected awskms://'],
  ['awskms://', 'no key id'],
  ['awskms:///', 'no key id'],
  ['awskms://alias/', 'no key id'],
  ['awskms://alias//sftpgo', 'no key id'],
  ['awskms://alias/../other', 'no key id'],
  ['awskms://alias/./sftpgo', 'no key id'],
  ['awskms://alias%2Fsftpgo', 'no key id'],
  ['awskms://user@alias/sftpgo', 'no key id'],
  ['awskms:// alias/sftpgo', 'no key id'],
  [`awskms://${arn}`, 'three slashes'],
  ['awskms://alias/sftpgo?Region=x', 'unknown parameter Region'],
  ['awskms://alias/sftpgo?keyid=x', 'unknown parameter keyid'],
  ['awskms://alias/sftpgo?contextapp=x', 'unknown parameter contextapp'],
  ['awskms://alias/sftpgo?context_=x', 'has no name'],
  ['awskms://alias/sftpgo?anonymous=true', 'anonymous means nothing'],
  ['awskms://alias/sftpgo?region=a&region=b', 'region is given twice'],
  ['awskms://alias/sftpgo?context_a=1&context_a=1', 'context_a is given twice'],
  ['awskms://alias/sftpgo?region=a&re%67ion=b', 'region is given twice'],
  ['awskms://alias/sftpgo?region=', 'region is empty'],
  ['awskms://alias/sftpgo?region=a=b', 'not NAME=VALUE'],
  ['awskms://alias/sftpgo?region=a;endpoint=b', 'not NAME=VALUE'],
  ['awskms://alias/sftpgo?region=a;b', 'not NAME=VALUE'],
  ['awskms://alias/sftpgo?region=%zz', 'percent sign'],
  ['awskms://alias/sftpgo?context_a=%ff', 'percent sign'],
  ['awskms://alias/sftpgo?fips=yes', 'fips is neither true nor false'],
])('%s is refused: %s', (url, why) => {
  expect(() => parseKeyUrl(url)).toThrow(
    expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining(why) }),
  );
});
