import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { CheckUserAndPassRequestSchema } from '../../proto/gen/sftpgo/auth_pb.ts';
import { EncryptRequestSchema } from '../../proto/gen/sftpgo/kms_pb.ts';
import { recordingLog } from '../../test/support/invoke.ts';
import { failure, signedError } from '../../test/support/policies.ts';
import { AnswerError } from '../shapes.ts';
import { logFailure } from './log-failure.ts';

const call = { rpc: 'CheckUserAndPass', call: 'c0ffee' };
const login = create(CheckUserAndPassRequestSchema, { username: 'anna', password: 'hunter2 hunter2' });
const secret = create(EncryptRequestSchema, { payload: 'hunter2 hunter2', url: 'awskms://alias/sftpgo' });

function linesOf(
  ...[type, error, input]: readonly [Parameters<typeof logFailure>[1], unknown, typeof login | typeof secret]
) {
  const log = recordingLog();
  logFailure(log, type, call, { error, input });
  return log.lines.map(({ level, text }) => `${level}: ${text}`);
}

function said(functionText: string): AnswerError {
  const parts = { happened: 'the function answered internal', expected: 'success', remedy: 'none' };
  const { facts } = signedError('internal');
  return new AnswerError('FUNCTION_ERROR', parts, { connect: 'internal', facts, functionText });
}

test('the reason of a denial is a debug line, unless it quotes what was typed', () => {
  const denied = (reason: string) => linesOf('auth', signedError('permission_denied', { reason }), login);
  expect(denied('no such user')).toEqual([
    'debug: denied rpc=CheckUserAndPass call=c0ffee code=DENIED reason=no such user',
  ]);
  expect(denied('wrong password hunter2 hunter2')).toEqual([
    'debug: denied rpc=CheckUserAndPass call=c0ffee code=DENIED reason=[withheld: quotes the request]',
  ]);
});

test("an error's text is a debug line, unless it quotes a secret; of a login it is none", () => {
  expect(linesOf('kms', said("add 'arn:aws:kms:eu-central-1:1:key/k' to keys"), secret)[1]).toBe(
    "debug: what the function said rpc=CheckUserAndPass call=c0ffee text=add 'arn:aws:kms:eu-central-1:1:key/k' to keys",
  );
  expect(linesOf('kms', said(btoa('x hunter2 hunter2')), secret).join()).toContain('text=[withheld');
  expect(linesOf('auth', said('no database'), login)).toHaveLength(1);
});

test('what may be an attack or a broken deployment is an ERROR line, an outage a warning', () => {
  expect(linesOf('auth', failure('ANSWER_REFUSED'), login)[0]).toMatch(/^error: /);
  expect(linesOf('auth', failure('UNREACHABLE'), login)[0]).toMatch(/^warn: /);
  expect(linesOf('auth', failure('DRIFT'), login)[0]).toMatch(/^debug: drift/);
  expect(linesOf('auth', new TypeError('a secret of ours'), login)).toEqual([
    'error: internal error rpc=CheckUserAndPass call=c0ffee code=INTERNAL',
  ]);
});
