import { base64, type RpcCase } from './case.ts';

/** A user as SFTPGo sends it: with secrets, an int64 beyond 2^53 and a key that nobody knows. */
export function userRecord(email: string, username = 'anna'): string {
  const known = `"id":7,"status":1,"username":"${username}","email":"${email}","home_dir":"/srv/sftp/anna"`;
  const numbers = '"permissions":{"/":["*"]},"used_quota_size":9007199254740993';
  const secrets = '"password":"$2a$10$hash","filters":{"recovery_codes":[{"secret":{"payload":"rescue"}}]}';
  return `{${known},${numbers},${secrets},"of_tomorrow":{"big":9223372036854775807}}`;
}

const known = new TextEncoder().encode(userRecord('old@example.org'));
const granted = [base64(userRecord('anna@example.org'))];

/** What the function sees of it: no hash, no secret, nothing unknown. */
const shown = {
  id: 7,
  status: 1,
  username: 'anna',
  email: 'old@example.org',
  home_dir: '/srv/sftp/anna',
  permissions: { '/': ['*'] },
  used_quota_size: 9_007_199_254_740_993n,
  filters: {},
};
const login = { username: 'anna', ip: '192.0.2.7', user: shown, isNew: false };
const mallory = new TextEncoder().encode(userRecord('m@example.org', 'mallory'));
const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE';
const questions = ['Colour: ', 'Number: '];

/** The five RPCs of auth; the same with every SDK. */
export function authCases(): readonly RpcCase[] {
  return [
    {
      rpc: 'CheckUserAndPass',
      method: 'CheckUserAndPass',
      accepted: [
        {
          args: ['anna', 'pässword', '192.0.2.7', 'DAV', known],
          arrives: { ...login, password: 'pässword', protocol: 'DAV' },
          returns: granted,
        },
      ],
      refused: [{ args: ['mallory', 'x', '192.0.2.7', 'SSH', mallory], code: 'PermissionDenied' }],
    },
    {
      rpc: 'CheckUserAndTLSCert',
      method: 'CheckUserAndTLSCert',
      accepted: [
        {
          args: ['anna', pem, '192.0.2.7', 'FTP', known],
          arrives: { ...login, tlsCert: pem, protocol: 'FTP' },
          returns: granted,
        },
      ],
      refused: [{ args: ['mallory', pem, '192.0.2.7', 'FTP', mallory], code: 'PermissionDenied' }],
    },
    {
      rpc: 'CheckUserAndPublicKey',
      method: 'CheckUserAndPublicKey',
      accepted: [
        {
          args: ['anna', `${key}\n`, '192.0.2.7', 'SSH', known],
          arrives: { ...login, pubKey: key, protocol: 'SSH' },
          returns: granted,
        },
      ],
      refused: [{ args: ['mallory', `${key}\n`, '192.0.2.7', 'SSH', mallory], code: 'PermissionDenied' }],
    },
    {
      rpc: 'CheckUserAndKeyboardInteractive',
      method: 'CheckUserAndKeyboardInteractive',
      accepted: [
        {
          args: ['anna', '192.0.2.7', 'SSH', known],
          arrives: { ...login, protocol: 'SSH' },
          // an empty answer: the user as it is
          returns: [null],
        },
      ],
      refused: [{ args: ['mallory', '192.0.2.7', 'SSH', mallory], code: 'PermissionDenied' }],
    },
    {
      rpc: 'SendKeyboardAuthRequest',
      method: 'SendKeyboardAuthRequest',
      accepted: [
        {
          args: ['request-1', 'anna', '$2a$10$hash', '192.0.2.7', null, null, 1],
          arrives: {
            ...{ username: 'anna', requestID: 'request-1', step: 1, ip: '192.0.2.7' },
            ...{ answers: [], questions: [], state: undefined },
          },
          returns: ['Two questions', questions, [false, true], 0, 0],
        },
        {
          args: ['request-1', 'anna', '$2a$10$hash', '', ['blue', '7'], questions, 2],
          arrives: {
            ...{ username: 'anna', requestID: 'request-1', step: 2, ip: '' },
            ...{ answers: ['blue', '7'], questions, state: { ip: '192.0.2.7' } },
          },
          returns: ['', null, null, 1, 0],
        },
      ],
      refused: [
        {
          args: ['request-2', 'anna', '', '192.0.2.7', null, null, 1],
          returns: ['Two questions', questions, [false, true], 0, 0],
        },
        { args: ['request-2', 'anna', '', '', ['red', '7'], questions, 2], code: 'PermissionDenied' },
      ],
    },
  ];
}
