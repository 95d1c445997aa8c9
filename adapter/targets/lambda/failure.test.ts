import { expect, test } from 'vitest';
import { functionFailure, invokeFailure } from './failure.ts';

const failure = (fields: object) =>
  invokeFailure(Object.assign(new Error('AWS: a secret'), fields), 'office@live', '7');
const failed = (payload: string) => functionFailure(Buffer.from(payload), 'office@live', '7');

test.each([
  'TooManyRequestsException',
  'AccessDeniedException',
  'ExpiredTokenException',
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'CredentialsProviderError',
  'KMSDisabledException',
  'ENILimitReachedException',
  'EC2AccessDeniedException',
  'SubnetIPAddressLimitReachedException',
  'EFSIOException',
  'InvalidRuntimeException',
  'InvalidZipFileException',
  'ResourceConflictException',
  'ResourceNotReadyException',
])('%s comes before the function runs: a login may be tried again', (name) => {
  expect(failure({ name })).toMatchObject({ code: 'UNREACHABLE', notExecuted: true });
});

test('only a refusal for the number of invocations is marked so: a flood opens nothing', () => {
  expect(failure({ name: 'TooManyRequestsException' })).toMatchObject({ throttled: true });
  expect(failure({ name: 'ResourceNotReadyException' })).toMatchObject({ throttled: false });
});

test.each([
  [{ name: 'Error', code: 'ECONNREFUSED' }, true],
  [{ name: 'Error', code: 'ENOTFOUND' }, true],
  [{ name: 'Error', code: 'CERT_HAS_EXPIRED' }, true],
  // the SDK renames a connection that broke: the function may have run
  [{ name: 'TimeoutError', code: 'ECONNRESET', message: 'socket hang up' }, false],
  [
    { name: 'TimeoutError', message: 'the request socket did not establish a connection with the server' },
    true,
  ],
  [{ name: 'ServiceException' }, false],
  [{ name: 'AFutureException' }, false],
  [{}, false],
])('%j: surely not executed? %j', (fields, notExecuted) => {
  expect(failure(fields)).toMatchObject({ code: 'UNREACHABLE', notExecuted });
});

test.each([
  ['ResourceNotFoundException', 'DRIFT'],
  ['RequestTooLargeException', 'OVERLOADED'],
  ['InvalidRequestContentException', 'INTERNAL'],
  ['ValidationException', 'INTERNAL'],
])('%s is %s', (name, code) => {
  expect(failure({ name })).toMatchObject({ code });
});

test.each([
  ['Sandbox.Timedout', 'DEADLINE', "Raise the function's timeout"],
  ['Runtime.OutOfMemory', 'UNREACHABLE', "Raise the function's memory"],
  ['Runtime.HandlerNotFound', 'UNREACHABLE', 'Deploy the zip'],
  ['Function.ResponseSizeTooLarge', 'UNREACHABLE', 'Answer with less'],
  ['PluginError', 'UNREACHABLE', 'PLUGIN_KEY_PARAMETER'],
  ['TypeError', 'UNREACHABLE', 'CloudWatch'],
])('FunctionError %s is %s with its remedy', (errorType, code, remedy) => {
  const error = failed(JSON.stringify({ errorType, errorMessage: 'a secret of the author' }));
  expect(error).toMatchObject({ code, remedy: expect.stringContaining(remedy) });
  expect(error.message).not.toContain('secret');
  expect(Object(error).notExecuted ?? false).toBe(false);
});

test('what is no name of an error is not told: it may be anything', () => {
  expect(failed('{"errorType":"a secret text"}').message).toContain('(unknown error)');
  expect(failed('not JSON').message).toContain('(unknown error)');
  expect(failure({ name: 'a secret name' }).message).not.toContain('secret');
});
