import { deepEqual } from 'node:assert/strict';
import type { Case } from '../board.ts';
import { secrets } from '../secrets.ts';

/** More digits than a JavaScript number holds. */
const timestamp = 1_790_000_000_123_456_789n;

const fsEvent = () => ({
  timestamp,
  action: 'upload',
  username: secrets.username,
  fsPath: '/srv/sftp/bob/report.pdf',
  virtualPath: '/report.pdf',
  fileSize: 4096n,
  protocol: 'SFTP',
  status: 1,
  ip: '203.0.113.7',
  sessionId: 'demo',
  elapsed: 12n,
});

/** Events of SFTPGo, stored. */
export const notifierCases: readonly Case[] = [
  { rpc: 'SendFsEvent', name: 'an upload', fields: fsEvent, expect: 'ok' },
  { rpc: 'SendFsEvent', name: 'the same, sent again', fields: fsEvent, expect: 'ok' },
  {
    rpc: 'SendProviderEvent',
    name: 'a user was added',
    fields: () => ({
      timestamp: timestamp + 1n,
      action: 'add',
      objectType: 'user',
      username: 'admin',
      objectName: secrets.username,
      objectData: new TextEncoder().encode('{"username":"bob"}'),
    }),
    expect: 'ok',
  },
  {
    rpc: 'SendLogEvent',
    name: 'a login failed',
    fields: () => ({
      timestamp: timestamp + 2n,
      event: 1,
      username: secrets.username,
      protocol: 'SSH',
      ip: '192.0.2.1',
    }),
    expect: 'ok',
  },
];

function found(output: Readonly<Record<string, unknown>>): { timestamp: bigint }[] {
  const text = new TextDecoder().decode(output['data'] as Uint8Array);
  return JSON.parse(text, (key, value, context?: { source: string }) =>
    key === 'timestamp' && context ? BigInt(context.source) : value,
  );
}

const stored = (rpc: string, name: string, expected: bigint): Case => ({
  rpc,
  name,
  fields: () => ({ limit: 10, ...(rpc === 'SearchFsEvents' ? { fsProvider: -1 } : {}) }),
  expect: 'ok',
  check: (output) =>
    deepEqual(
      found(output).map((event) => event.timestamp),
      [expected],
    ),
});

/** The same events, found again: once each, to the nanosecond. */
export const eventsearcherCases: readonly Case[] = [
  stored('SearchFsEvents', 'the upload, once', timestamp),
  stored('SearchProviderEvents', 'the new user', timestamp + 1n),
  stored('SearchLogEvents', 'the failed login', timestamp + 2n),
];
