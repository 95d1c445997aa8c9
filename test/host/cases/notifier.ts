import { expect } from 'vitest';
import type { HostKind } from '../build.ts';
import { isSince, type RpcCase } from './case.ts';

const timestamp = 1_697_040_000_123_456_789n;
const id = expect.stringMatching(/^[0-9a-f]{64}$/);

const fsEvent = {
  action: 'rename',
  username: 'anna',
  path: '/srv/sftp/anna/a.txt',
  target_path: '/srv/sftp/anna/b.txt',
  virtual_path: '/a.txt',
  virtual_target_path: '/b.txt',
  ssh_cmd: 'scp',
  file_size: 9_007_199_254_740_993n,
  fs_provider: 1,
  bucket: 'bucket',
  endpoint: 'https://s3.example.com',
  status: 3,
  protocol: 'SFTP',
  ip: '192.0.2.7',
  session_id: 'SFTP_1',
  timestamp,
  open_flags: 512,
};

/** The RPCs of notifier that an SDK has, with every field that it has. */
export function notifierCases(kind: HostKind): readonly RpcCase[] {
  const hasRole = isSince(kind, 'v013');
  const hasMetadata = isSince(kind, 'new');
  const metadata = { 'x-amz-meta-a': 'ä', ['__proto__']: 'p', '': 'empty' };
  const providerEvent = {
    ...{ Action: 'update', Username: 'admin', ObjectType: 'user', ObjectName: 'anna', IP: '192.0.2.8' },
    ...{ ObjectData: new Uint8Array([0, 255, 123, 125]), Timestamp: timestamp },
  };
  const logEvent = {
    ...{ Timestamp: timestamp, Event: 1, Protocol: 'SSH', Username: 'anna', IP: '192.0.2.7' },
    ...{ Message: 'wrong\tpassword \u{1f511}', Role: 'r1' },
  };
  return [
    {
      rpc: 'SendFsEvent',
      method: 'NotifyFsEvent',
      accepted: [
        {
          args: [
            {
              ...fsEvent,
              ...(hasRole ? { role: 'r1', elapsed: 2n ** 53n + 1n } : {}),
              ...(hasMetadata ? { metadata } : {}),
            },
          ],
          arrives: {
            instance: 'node1',
            id,
            event: {
              timestamp,
              action: 'rename',
              username: 'anna',
              fsPath: '/srv/sftp/anna/a.txt',
              fsTargetPath: '/srv/sftp/anna/b.txt',
              sshCmd: 'scp',
              fileSize: 9_007_199_254_740_993n,
              protocol: 'SFTP',
              status: 3,
              ip: '192.0.2.7',
              virtualPath: '/a.txt',
              virtualTargetPath: '/b.txt',
              sessionId: 'SFTP_1',
              fsProvider: 1,
              bucket: 'bucket',
              endpoint: 'https://s3.example.com',
              openFlags: 512,
              role: hasRole ? 'r1' : '',
              elapsed: hasRole ? 2n ** 53n + 1n : 0n,
              metadata: hasMetadata ? metadata : {},
            },
          },
        },
      ],
      refused: [{ args: [{ ...fsEvent, username: 'full' }], code: 'Unavailable' }],
    },
    {
      rpc: 'SendProviderEvent',
      method: 'NotifyProviderEvent',
      accepted: [
        {
          args: [{ ...providerEvent, ...(hasRole ? { Role: 'r1' } : {}) }],
          arrives: {
            instance: 'node1',
            id,
            event: {
              timestamp,
              action: 'update',
              objectType: 'user',
              username: 'admin',
              ip: '192.0.2.8',
              objectName: 'anna',
              objectData: new Uint8Array([0, 255, 123, 125]),
              role: hasRole ? 'r1' : '',
            },
          },
        },
      ],
      refused: [{ args: [{ ...providerEvent, Username: 'full' }], code: 'Unavailable' }],
    },
    ...(isSince(kind, 'v016')
      ? [
          {
            rpc: 'SendLogEvent',
            method: 'NotifyLogEvent',
            accepted: [
              {
                args: [logEvent],
                arrives: {
                  instance: 'node1',
                  id,
                  event: {
                    ...{ timestamp, event: 1, username: 'anna', protocol: 'SSH', ip: '192.0.2.7' },
                    ...{ message: 'wrong\tpassword \u{1f511}', role: 'r1' },
                  },
                },
              },
            ],
            refused: [{ args: [{ ...logEvent, Username: 'full' }], code: 'Unavailable' }],
          },
        ]
      : []),
  ];
}
