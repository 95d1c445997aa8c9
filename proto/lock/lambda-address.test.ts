import { expect, test } from 'vitest';
import { lambdaOrigin, parseLambdaAddress } from './lambda-address.ts';
import { lockSchema } from './schema.ts';

test.each([
  ['arn:aws:lambda:eu-central-1:123456789012:function:office', 'eu-central-1', 'office'],
  ['arn:aws-cn:lambda:cn-north-1:123456789012:function:Team_Login', 'cn-north-1', 'Team_Login'],
  ['arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:a', 'us-gov-west-1', 'a'],
])('%s is an address', (address, region, name) => {
  expect(parseLambdaAddress(address)).toEqual({ region, name });
});

test.each([
  ['with a version', 'arn:aws:lambda:eu-central-1:123456789012:function:office:3'],
  ['with an alias', 'arn:aws:lambda:eu-central-1:123456789012:function:office:live'],
  ['a bare name', 'office'],
  ['a function URL', 'https://abc.lambda-url.eu-central-1.on.aws'],
  ['of another service', 'arn:aws:s3:eu-central-1:123456789012:function:office'],
  ['of a layer', 'arn:aws:lambda:eu-central-1:123456789012:layer:office'],
  ['with a short account', 'arn:aws:lambda:eu-central-1:12345678901:function:office'],
  ['with a line after it', 'arn:aws:lambda:eu-central-1:123456789012:function:office\n'],
])('an address %s is refused', (_, address) => {
  expect(parseLambdaAddress(address)).toEqual({ problem: expect.stringMatching(/^expected /) });
});

test('both ends spell the origin alike: the URL that the function sees is the text that the adapter signs', () => {
  const origin = lambdaOrigin('Team_Login', '12');
  expect(origin).toBe('https://team_login.12.lambda.invalid');
  expect(new Request(`${origin}/proto.Auth/SendKeyboardAuthRequest`).url).toBe(
    'https://team_login.12.lambda.invalid/proto.Auth/SendKeyboardAuthRequest',
  );
  expect(new URL(lambdaOrigin('office', '$LATEST')).origin).toBe('https://office.$latest.lambda.invalid');
});

const entry = {
  type: 'ipfilter',
  target: 'lambda',
  address: 'arn:aws:lambda:eu-central-1:123456789012:function:office',
  handles: ['CheckIP'],
  accepts: [{ version: '7', files: {}, config: {}, inputs: {} }],
  keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) }],
};
const lockOf = (changed: object) => ({
  format: 1,
  seq: 1,
  issued: '2026-01-01T00:00:00Z',
  functions: { 'office@live': { ...entry, ...changed } },
});

test('a lambda function is locked by ARN and number of version', () => {
  expect(lockSchema.safeParse(lockOf({})).success).toBe(true);
});

test.each([
  ['an address with a version', { address: `${entry.address}:7` }, 'address'],
  ['$LATEST', { accepts: [{ ...entry.accepts[0], version: '$LATEST' }] }, 'version'],
  ['an alias', { accepts: [...entry.accepts, { ...entry.accepts[0], version: 'live' }] }, 'version'],
])('a lock with %s is refused: it could mean other code tomorrow', (_, changed, field) => {
  const { error } = lockSchema.safeParse(lockOf(changed));
  expect(error?.issues.map(({ path }) => path.at(-1))).toEqual([field]);
});
