import { create, type DescMethod, type Message, type MessageInitShape } from '@bufbuild/protobuf';
import { Auth } from '../../../proto/gen/sftpgo/auth_pb.ts';
import { IPFilter } from '../../../proto/gen/sftpgo/ipfilter_pb.ts';
import { KMS } from '../../../proto/gen/sftpgo/kms_pb.ts';
import { Metadata } from '../../../proto/gen/sftpgo/metadata_pb.ts';
import { Notifier } from '../../../proto/gen/sftpgo/notifier_pb.ts';
import { Searcher } from '../../../proto/gen/sftpgo/searcher_pb.ts';
import { type PluginTypeName, pluginTypes } from '../../../proto/plugin-types.ts';

/** One RPC of a type, with a message as SFTPGo sends it; `n` is in whatever tells calls apart. */
export interface RpcInput {
  readonly type: PluginTypeName;
  readonly method: DescMethod;
  message(n: number): Message;
}

function rpc<M extends DescMethod>(
  type: PluginTypeName,
  method: M,
  message: (n: number) => MessageInitShape<M['input']>,
): RpcInput {
  return { type, method, message: (n) => create(method.input, message(n)) };
}

const json = (value: object) => new TextEncoder().encode(JSON.stringify(value));
/** A user whose secrets a function is not to see. */
const user = json({
  id: 7,
  username: 'alice',
  status: 1,
  home_dir: '/srv/sftp/alice',
  permissions: { '/': ['list'] },
  password: 'HOST-ONLY hash',
  filters: { totp_config: { secret: { status: 'AWS', payload: 'HOST-ONLY totp' } } },
});
const who = { username: 'alice', ip: '203.0.113.7', protocol: 'SSH' };
const url = 'awskms://alias/sftpgo';
const since = 1_697_040_000_123_456_789n;
const search = { startTimestamp: since, username: 'alice', instanceIds: ['node1'], limit: 10 };

/** All twenty. */
export const rpcs: readonly RpcInput[] = [
  rpc('auth', Auth.method.checkUserAndPass, () => ({ ...who, password: 'typed', user })),
  rpc('auth', Auth.method.checkUserAndTLSCert, () => ({
    ...who,
    tlsCert: '-----BEGIN CERTIFICATE-----',
    user,
  })),
  rpc('auth', Auth.method.checkUserAndPublicKey, () => ({ ...who, pubKey: 'ssh-ed25519 AAAA\n', user })),
  rpc('auth', Auth.method.checkUserAndKeyboardInteractive, () => ({ ...who, user })),
  rpc('auth', Auth.method.sendKeyboardAuthRequest, (n) => ({
    requestID: `dialogue-${n}`,
    username: 'alice',
    password: 'HOST-ONLY hash',
    ip: who.ip,
    step: 1,
  })),
  rpc('kms', KMS.method.encrypt, () => ({
    payload: 'HOST-ONLY secret',
    additionalData: 'HOST-ONLY data',
    url,
    masterKey: 'HOST-ONLY master',
  })),
  rpc('kms', KMS.method.decrypt, () => ({
    payload: 'c2VhbGVk',
    key: '',
    additionalData: 'HOST-ONLY data',
    mode: 0,
    url,
    masterKey: 'HOST-ONLY master',
  })),
  rpc('notifier', Notifier.method.sendFsEvent, (n) => ({
    ...{
      timestamp: since + BigInt(n),
      action: 'upload',
      username: 'alice',
      fsPath: '/srv/a',
      fileSize: 2n ** 53n + 1n,
    },
    ...{
      protocol: 'SFTP',
      status: 1,
      ip: who.ip,
      virtualPath: '/a',
      sessionId: 's1',
      metadata: { b: '1', a: '2' },
    },
  })),
  rpc('notifier', Notifier.method.sendProviderEvent, (n) => ({
    ...{ timestamp: since + BigInt(n), action: 'update', objectType: 'user', username: 'admin', ip: who.ip },
    ...{ objectName: 'alice', objectData: json({ id: 7 }) },
  })),
  rpc('notifier', Notifier.method.sendLogEvent, (n) => ({
    ...{
      timestamp: since + BigInt(n),
      event: 1,
      username: 'alice',
      protocol: 'SSH',
      ip: who.ip,
      message: 'no',
    },
  })),
  rpc('ipfilter', IPFilter.method.checkIP, (n) => ({
    ip: `2001:db8::${(n & 0xffff).toString(16)}`,
    protocol: 'SSH',
  })),
  rpc('ipfilter', IPFilter.method.reload, () => ({})),
  rpc('eventsearcher', Searcher.method.searchFsEvents, () => ({
    ...search,
    actions: ['upload'],
    statuses: [1],
  })),
  rpc('eventsearcher', Searcher.method.searchProviderEvents, () => ({ ...search, objectTypes: ['user'] })),
  rpc('eventsearcher', Searcher.method.searchLogEvents, () => ({ ...search, events: [1, 2] })),
  rpc('metadata', Metadata.method.setModificationTime, () => ({
    storageId: 's3://team',
    objectPath: '/a',
    modificationTime: 1_697_040_000_123n,
  })),
  rpc('metadata', Metadata.method.getModificationTime, () => ({ storageId: 's3://team', objectPath: '/a' })),
  rpc('metadata', Metadata.method.getModificationTimes, () => ({ storageId: 's3://team', folderPath: '/' })),
  rpc('metadata', Metadata.method.removeMetadata, () => ({ storageId: 's3://team', objectPath: '/a' })),
  rpc('metadata', Metadata.method.getFolders, () => ({ storageId: 's3://team', limit: 10, from: '/a' })),
];

/** The six types. */
export const types = Object.keys(pluginTypes) as PluginTypeName[];
