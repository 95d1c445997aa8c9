import { create, type DescMethod, type Message, type MessageInitShape } from '@bufbuild/protobuf';
import { Auth } from '../../../proto/gen/sftpgo/auth_pb.ts';
import { IPFilter } from '../../../proto/gen/sftpgo/ipfilter_pb.ts';
import { KMS } from '../../../proto/gen/sftpgo/kms_pb.ts';
import { Metadata } from '../../../proto/gen/sftpgo/metadata_pb.ts';
import { Notifier } from '../../../proto/gen/sftpgo/notifier_pb.ts';
import { Searcher } from '../../../proto/gen/sftpgo/searcher_pb.ts';
import type { PluginTypeName } from '../../../proto/plugin-types.ts';
import { canary, canaryBytes, plainCanary } from './secrets.ts';

/** One call of a host. */
export interface HostCall {
  readonly type: PluginTypeName;
  readonly method: DescMethod;
  readonly input: Message;
}

function call<M extends DescMethod>(
  type: PluginTypeName,
  method: M,
  input: MessageInitShape<M['input']>,
): HostCall {
  return { type, method, input: create(method.input, input) };
}

/** A secret as SFTPGo stores it in a user: all of it is to stay where it is. */
function stored(name: string): object {
  return {
    status: 'AWS',
    payload: canary(`${name}-payload`),
    key: plainCanary(`${name}-key`),
    additional_data: plainCanary(`${name}-data`),
    mode: 1,
  };
}

const storages: readonly object[] = [
  {
    provider: 1,
    s3config: {
      bucket: 'team-a',
      session_token: canary('session-token'),
      access_secret: stored('s3'),
      sse_customer_key: stored('sse'),
    },
  },
  { provider: 2, gcsconfig: { credentials: stored('gcs') } },
  { provider: 3, azblobconfig: { account_key: stored('azure-key'), sas_url: stored('azure-sas') } },
  { provider: 4, cryptconfig: { passphrase: stored('crypt') } },
  {
    provider: 5,
    sftpconfig: {
      password: stored('sftp-password'),
      private_key: stored('sftp-key'),
      key_passphrase: stored('sftp-passphrase'),
    },
  },
  { provider: 6, httpconfig: { password: stored('http-password'), api_key: stored('http-key') } },
];

/** A user with a canary in every field that holds a secret, and in one of a later SFTPGo; `n` chooses the storage. */
function userRecord(n: number): Uint8Array {
  const filters = {
    totp_config: { enabled: true, config_name: 'Default', secret: stored('totp') },
    recovery_codes: [{ secret: stored('recovery'), used: false }],
  };
  const rights = { home_dir: '/srv/sftp/anna', permissions: { '/': ['*'] }, used_quota_size: n };
  const known = { id: 7, username: 'anna', status: 1, ...rights, password: canary('hash') };
  const filesystem = storages[Math.floor(n / makers.length) % storages.length];
  const record = { ...known, filters, filesystem, secret_of_tomorrow: canary('tomorrow') };
  return new TextEncoder().encode(JSON.stringify(record));
}

const url = 'awskms://alias/sftpgo?region=eu-central-1';
const who = { username: 'anna', ip: '192.0.2.7', protocol: 'SSH' };
const asked = ['Password: ', 'Code: '];

/** Calls of a host, each with a canary wherever SFTPGo has a secret. `n` makes the calls differ. */
const makers: readonly ((n: number) => HostCall)[] = [
  (n) =>
    call('auth', Auth.method.checkUserAndPass, { ...who, password: canary('password'), user: userRecord(n) }),
  (n) =>
    call('kms', KMS.method.encrypt, {
      payload: canary('secret'),
      url,
      additionalData: plainCanary(`data`),
      masterKey: n % 3 === 0 ? '' : canary('master'),
    }),
  (n) =>
    call('auth', Auth.method.checkUserAndPass, { ...who, username: `new${n}`, password: canary('password') }),
  (n) =>
    call('notifier', Notifier.method.sendProviderEvent, {
      ...{
        timestamp: BigInt(n),
        action: 'update',
        objectType: 'user',
        username: 'admin',
        objectName: 'anna',
      },
      objectData: userRecord(n),
    }),
  (n) =>
    call('auth', Auth.method.checkUserAndPublicKey, {
      ...who,
      pubKey: 'ssh-ed25519 AAAA\n',
      user: userRecord(n),
    }),
  (n) =>
    call('kms', KMS.method.decrypt, {
      payload: Buffer.from(`${n} ${canary('secret')}`).toString('base64'),
      key: n % 2 === 0 ? '' : canaryBytes('box-key').toString('hex'),
      ...{ additionalData: plainCanary('data'), mode: n % 2, url, masterKey: canary('master') },
    }),
  (n) =>
    call('auth', Auth.method.checkUserAndTLSCert, {
      ...who,
      protocol: 'FTP',
      tlsCert: '-----BEGIN CERTIFICATE-----',
      user: userRecord(n),
    }),
  (n) =>
    call('auth', Auth.method.sendKeyboardAuthRequest, {
      requestID: `dialogue-${n}`,
      username: 'anna',
      password: canary('hash'),
      ip: who.ip,
      step: 1,
    }),
  (n) =>
    call('notifier', Notifier.method.sendFsEvent, {
      timestamp: BigInt(n),
      action: 'upload',
      username: 'anna',
      fsPath: '/a',
    }),
  (n) =>
    call('auth', Auth.method.sendKeyboardAuthRequest, {
      requestID: `dialogue-${n - 2 - 10 * 14}`,
      username: 'anna',
      password: canary('hash'),
      answers: [canary('answer'), plainCanary('code')],
      questions: asked,
      step: 2,
    }),
  (n) => call('auth', Auth.method.checkUserAndKeyboardInteractive, { ...who, user: userRecord(n) }),
  () => call('eventsearcher', Searcher.method.searchProviderEvents, { limit: 10 }),
  (n) =>
    call('ipfilter', IPFilter.method.checkIP, { ip: `198.51.${(n >> 8) & 255}.${n & 255}`, protocol: 'SSH' }),
  () => call('metadata', Metadata.method.getModificationTime, { storageId: 's3://team', objectPath: '/a' }),
];

/** The n-th call. */
export function hostCall(n: number): HostCall {
  const make = makers[n % makers.length];
  if (make === undefined) throw new Error('no call');
  return make(n);
}

/** What is to reach a handler at some time: a test that sends no canaries would find none. */
export const sentCanaries: readonly string[] = [
  ...[
    'password',
    'answer',
    'code',
    'hash',
    'secret',
    'totp-payload',
    'totp-key',
    'recovery-payload',
    'session-token',
  ],
  ...['s3-payload', 'sse-payload', 'gcs-payload', 'azure-key-payload', 'azure-sas-payload', 'crypt-payload'],
  ...['sftp-password-payload', 'sftp-key-payload', 'sftp-passphrase-payload', 'http-password-payload'],
  ...['http-key-payload', 'tomorrow', 'dialogue'],
];
