import { expect, test } from 'vitest';
import { authOptionsOf, authRemarks } from './auth-options.ts';

const dialogue = ['CheckUserAndKeyboardInteractive', 'SendKeyboardAuthRequest'];

test.each([
  [['CheckUserAndPass'], 1],
  [['CheckUserAndPublicKey'], 2],
  [['CheckUserAndTLSCert'], 8],
  [['CheckUserAndPass', 'CheckUserAndPublicKey'], 3],
  [['CheckUserAndPass', ...dialogue], 5],
  [['CheckUserAndTLSCert', 'CheckUserAndPublicKey'], 10],
  [['CheckUserAndPass', 'CheckUserAndPublicKey', 'CheckUserAndTLSCert', ...dialogue], 15],
  [['CheckUserAndPublicKey', 'SendKeyboardAuthRequest'], 2],
])('%j: scope %i', (handles, scope) => {
  expect(authOptionsOf('team@live', { handles })).toEqual({ scope });
});

test.each([
  // the steps would go to a plugin with the password bit, and there is none
  [
    dialogue,
    'CheckUserAndPass as well, since SFTPGo sends the steps of a dialogue to the plugin for passwords',
  ],
  [[...dialogue, 'CheckUserAndPublicKey'], 'CheckUserAndPass as well'],
  [['CheckUserAndPass', 'CheckUserAndKeyboardInteractive'], 'both: one admits a user to the dialogue'],
  [['SendKeyboardAuthRequest'], 'at least one of CheckUserAndPass'],
])('%j can finish no login, and is refused', (handles, expected) => {
  expect(() => authOptionsOf('team@live', { handles })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', expected: expect.stringContaining(expected) }),
  );
});

test('the scope that SFTPGo would misread is named', () => {
  expect(() => authOptionsOf('team@live', { handles: dialogue })).toThrow('its scope would be 4');
});

test('what depends on other entries is a remark', () => {
  expect(authRemarks('team@live', { handles: ['CheckUserAndPass', ...dialogue] })).toEqual([
    expect.stringContaining('put this entry before any other of type auth'),
  ]);
  expect(authRemarks('team@live', { handles: ['CheckUserAndPass', 'SendKeyboardAuthRequest'] })).toEqual([
    expect.stringContaining('starts no dialogue'),
  ]);
  expect(authRemarks('team@live', { handles: ['CheckUserAndPass'] })).toEqual([]);
});
