import { deepEqual, equal } from 'node:assert/strict';
import { TOTP } from 'otpauth';
import { createCertificate } from '../../../adapter/goplugin/server/certificate.ts';
import type { Case } from '../board.ts';
import { secrets } from '../secrets.ts';

const password = 'correct horse battery staple';
const codes = new TOTP({ secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP' });
const key = (name: string) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${name}`;
const bobsKey = key('BobsDemoKeyBobsDemoKeyBobsDemoKeyBobsDemoKe');
const strangersKey = key('StrangersKeyStrangersKeyStrangersKeyStrange');

/** The user as SFTPGo has it, with what must not leave the host. */
function record(username: string): Uint8Array {
  const user = {
    id: 7,
    username,
    status: 1,
    home_dir: `/srv/sftp/${username}`,
    password: secrets.passwordHash,
    permissions: { '/': ['list'] },
    filters: {
      totp_config: {
        enabled: true,
        secret: { status: 'Secretbox', payload: secrets.totpSecret },
        protocols: ['SSH'],
      },
      recovery_codes: [{ secret: { status: 'Secretbox', payload: secrets.recoveryCode } }],
    },
    filesystem: { provider: 0 },
  };
  return new TextEncoder().encode(JSON.stringify(user));
}

const userOf = (output: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  JSON.parse(new TextDecoder().decode(output['user'] as Uint8Array));

/** What SFTPGo stores: the function's permissions in the host's own record. */
function mergedBob(output: Readonly<Record<string, unknown>>): void {
  const user = userOf(output);
  equal(user['password'], secrets.passwordHash);
  deepEqual(user['permissions'], { '/': ['list', 'download', 'upload'] });
}

const client = { ip: '203.0.113.7', protocol: 'SSH' };
const login = (rpc: string, name: string, expect: Case['expect'], fields: object): Case => ({
  rpc,
  name,
  expect,
  fields: () => ({ ...client, username: 'bob', user: record('bob'), ...fields }),
  ...(expect === 'ok' ? { check: mergedBob } : {}),
});

/** One step of a dialogue of carol, who has a second factor. */
const step = (
  name: string,
  expect: Case['expect'],
  number: number,
  given: () => { answers: string[]; questions: string[] },
  check?: Case['check'],
): Case => ({
  rpc: 'SendKeyboardAuthRequest',
  name,
  expect,
  fields: () => ({
    requestID: 'demo-dialogue',
    username: 'carol',
    password: secrets.passwordHash,
    ip: number === 1 ? client.ip : '',
    step: number,
    ...given(),
  }),
  ...(check ? { check } : {}),
});

const nothing = () => ({ answers: [], questions: [] });
const asks =
  (question: string): Case['check'] =>
  (output) =>
    deepEqual(output['questions'], [question]);

/** Logins by password, key, certificate and dialogue: an accepted and a denied one each. */
export function authCases(): readonly Case[] {
  const pem = (name: string) => createCertificate({ names: [name] }).certPem;
  return [
    login('CheckUserAndPass', 'the right password', 'ok', { password }),
    login('CheckUserAndPass', 'a wrong password', 'denied', { password: `${password}!` }),
    login('CheckUserAndPublicKey', 'a key of the user', 'ok', { pubKey: `${bobsKey}\n` }),
    login('CheckUserAndPublicKey', "a stranger's key", 'denied', { pubKey: `${strangersKey}\n` }),
    login('CheckUserAndTLSCert', 'a certificate in the name', 'ok', { tlsCert: pem('bob'), protocol: 'FTP' }),
    login('CheckUserAndTLSCert', "a stranger's certificate", 'denied', {
      tlsCert: pem('mallory'),
      protocol: 'FTP',
    }),
    {
      rpc: 'CheckUserAndKeyboardInteractive',
      name: 'a dialogue may begin',
      fields: () => ({ ...client, username: 'carol', user: record('carol') }),
      expect: 'ok',
    },
    {
      rpc: 'CheckUserAndKeyboardInteractive',
      name: 'of an unknown user',
      fields: () => ({ ...client, username: 'mallory', user: record('mallory') }),
      expect: 'denied',
    },
    step('step 1: asks for the password', 'ok', 1, nothing, asks('Password: ')),
    step(
      'step 2: asks for the code',
      'ok',
      2,
      () => ({ answers: [password], questions: ['Password: '] }),
      asks('Authentication code: '),
    ),
    step(
      'step 3: the right code',
      'ok',
      3,
      () => ({ answers: [codes.generate()], questions: ['Authentication code: '] }),
      (output) => equal(output['authResult'], 1),
    ),
  ];
}
