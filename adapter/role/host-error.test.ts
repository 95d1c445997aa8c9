import { expect, test } from 'vitest';
import { connectCodes } from '../../proto/codes.ts';
import { type ErrorCode, PluginError } from '../../proto/error.ts';
import { type CallTraits, pluginTypes } from '../../proto/plugin-types.ts';
import { AnswerError } from '../shapes.ts';
import { hostError } from './host-error.ts';

const secret = 'what-the-function-said';
const parts = { happened: secret, expected: secret, remedy: secret };
const answer = {
  functionText: secret,
  facts: { evidence: 'claimed', version: secret, keyid: secret, reason: secret },
} as const;

const statuses: readonly (readonly [code: ErrorCode, grpc: keyof typeof connectCodes])[] = [
  ['CONFIG_INVALID', 'failed_precondition'],
  ['KEY_FILE_INVALID', 'failed_precondition'],
  ['KEY_FILE_EXPOSED', 'failed_precondition'],
  ['LOCK_INVALID', 'failed_precondition'],
  ['LOCK_ROLLBACK', 'failed_precondition'],
  ['DRIFT', 'failed_precondition'],
  ['UNREACHABLE', 'unavailable'],
  ['DEADLINE', 'deadline_exceeded'],
  ['ANSWER_UNSIGNED', 'unavailable'],
  ['ANSWER_REFUSED', 'unavailable'],
  ['ANSWER_INVALID', 'internal'],
  ['OVERLOADED', 'resource_exhausted'],
  ['INPUT_INVALID', 'invalid_argument'],
  ['INTERNAL', 'internal'],
];

test.each(statuses)('%s is %s with a fixed text, its code and the id of the call', (code, grpc) => {
  const { grpcCode, message } = hostError(new PluginError(code, parts), 'c0ffee');
  expect(grpcCode).toBe(connectCodes[grpc].grpc);
  expect(message).toMatch(new RegExp(`^[a-z].* \\(${code}, call c0ffee\\)$`));
  expect(message).not.toContain(secret);
});

test.each(Object.keys(connectCodes) as (keyof typeof connectCodes)[])(
  'a signed %s of the function keeps its status, and none of its text',
  (connect) => {
    const { grpcCode, message } = hostError(
      new AnswerError('FUNCTION_ERROR', parts, { ...answer, connect }),
      'id',
      { notFound: true },
    );
    expect(grpcCode).toBe(connectCodes[connect].grpc);
    expect(message).toBe('the function failed (FUNCTION_ERROR, call id)');
  },
);

test('not_found is NOT_FOUND for the calls of metadata, and INTERNAL for all others', () => {
  const missing = new AnswerError('FUNCTION_ERROR', parts, { ...answer, connect: 'not_found' });
  for (const type of Object.values(pluginTypes)) {
    for (const traits of Object.values<CallTraits>(type.calls)) {
      const expected = type === pluginTypes.metadata ? 'not_found' : 'internal';
      expect(hostError(missing, 'id', traits).grpcCode).toBe(connectCodes[expected].grpc);
    }
  }
  expect(hostError(missing, 'id').grpcCode).toBe(connectCodes.internal.grpc);
});

test('its "no" is PERMISSION_DENIED, without the reason', () => {
  const denied = new AnswerError('DENIED', parts, { ...answer, connect: 'permission_denied' });
  expect(hostError(denied, 'id')).toEqual({
    grpcCode: connectCodes.permission_denied.grpc,
    message: 'denied by the function (DENIED, call id)',
  });
});

test('what is no error of ours is INTERNAL without its text', () => {
  for (const error of [new TypeError(secret), secret, undefined]) {
    expect(hostError(error, 'id')).toEqual({ grpcCode: 13, message: 'internal error (INTERNAL, call id)' });
  }
});
