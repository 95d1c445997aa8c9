import type { PluginTypeName } from '../../proto/plugin-types.ts';
import type { CallOutcome } from '../host/driver.ts';
import { decide } from './functions/tell.ts';

/** One call of the SDK's client, and what its answer must be. */
export interface Question {
  readonly type: PluginTypeName;
  readonly rpc: string;
  readonly method: string;
  readonly args: readonly unknown[];
  /** As the function tells it; absent: several calls look alike to it. */
  readonly n?: number | string;
  /** What is wrong with an answer of the function; undefined: nothing. */
  wrong(how: string, outcome: CallOutcome): string | undefined;
  /** What follows on an answer. */
  follows?(outcome: CallOutcome): Question | undefined;
}

type Wrong = Question['wrong'];

/** The function says yes, no or that it failed: what the host sees of each, and of the yes what comes with it. */
function decided(n: number, no: string, output?: (outcome: CallOutcome) => boolean): Wrong {
  const expected = { yes: 'ok', no, error: 'FUNCTION_ERROR' }[decide(n)];
  return (how, outcome) => {
    if (!['ok', 'DENIED', 'NOT_FOUND', 'FUNCTION_ERROR'].includes(how)) return undefined;
    if (how !== expected) return `${how} in place of ${expected}`;
    return how === 'ok' && output && !output(outcome)
      ? `wrong content: ${JSON.stringify(outcome.output)}`
      : undefined;
  };
}

const encoder = new TextEncoder();

function userOf(n: number): Uint8Array {
  return encoder.encode(
    JSON.stringify({
      id: n + 1,
      username: `u${n}`,
      status: 1,
      email: 'old@example.org',
      home_dir: '/srv/sftp/a',
      permissions: { '/': ['*'] },
    }),
  );
}

function isNewUser(n: number): (outcome: CallOutcome) => boolean {
  return ({ output = [] }) => {
    const { username, email } = JSON.parse(Buffer.from(String(output[0]), 'base64').toString());
    return username === `u${n}` && email === `u${n}@example.org`;
  };
}

function login(n: number, rpc: string, ...before: readonly unknown[]): Question {
  const args = [`u${n}`, ...before, '192.0.2.7', 'SSH', userOf(n)];
  return { type: 'auth', rpc, method: rpc, args, n, wrong: decided(n, 'DENIED', isNewUser(n)) };
}

function dialogue(n: number): Question {
  const base = { type: 'auth', rpc: 'SendKeyboardAuthRequest', method: 'SendKeyboardAuthRequest' } as const;
  const right = n % 2 === 0;
  const expected = right ? 'ok' : 'DENIED';
  return {
    ...base,
    args: [`dialogue-${n}`, `u${n}`, '', '192.0.2.7', null, null, 1],
    n: `${n}-1`,
    wrong: (how) => (how === 'DENIED' || how === 'FUNCTION_ERROR' ? how : undefined),
    follows: ({ code }) =>
      code === 'OK'
        ? {
            ...base,
            args: [`dialogue-${n}`, `u${n}`, '', '', [right ? 'blue' : 'red'], ['Colour: '], 2],
            n: `${n}-2`,
            wrong: (how) =>
              ['ok', 'DENIED', 'FUNCTION_ERROR'].includes(how) && how !== expected ? how : undefined,
          }
        : undefined,
  };
}

function secret(n: number): Question {
  const url = (of: number) => `awskms://alias/soak?context_n=${of}`;
  const next = n + halfOfNumbers;
  return {
    ...{ type: 'kms', rpc: 'Encrypt', method: 'Encrypt', n },
    args: [`secret ${n}`, 'user1', url(n), 'master'],
    wrong: decided(n, 'ok'),
    follows: ({ output }) =>
      output && {
        ...{ type: 'kms', rpc: 'Decrypt', method: 'Decrypt', n: next },
        args: [...output.slice(0, 2), 'user1', output[2], url(next), 'master'],
        wrong: decided(next, 'ok', (outcome) => outcome.output?.[0] === `secret ${n}`),
      },
  };
}

/** Decrypts have numbers of their own. */
const halfOfNumbers = 8_000_000;

function address(n: number): Question {
  const ip = `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
  return {
    type: 'ipfilter',
    rpc: 'CheckIP',
    method: 'CheckIP',
    args: [ip, 'SSH'],
    n,
    wrong: decided(n, 'DENIED'),
  };
}

function knownAddress(n: number): Question {
  const last = n % 16;
  const expected = String(last).endsWith('3') ? 'DENIED' : 'ok';
  return {
    ...{ type: 'ipfilter', rpc: 'CheckIP', method: 'CheckIP', args: [`192.0.2.${last}`, 'SSH'] },
    wrong: (how) =>
      ['ok', 'DENIED'].includes(how) && how !== expected ? `${how} in place of ${expected}` : undefined,
  };
}

/** SFTPGo's word for "load your lists again". */
export const reload: Question = {
  type: 'ipfilter',
  rpc: 'Reload',
  method: 'Reload',
  args: [],
  wrong: () => undefined,
};

const timestamp = 1_697_040_000_123_456_789n;

function fsEvent(n: number): Question {
  const file = {
    path: '/srv/a',
    virtual_path: '/a',
    file_size: n,
    status: 1,
    protocol: 'SFTP',
    session_id: 's',
  };
  const args = [
    { action: 'upload', username: `u${n}`, ip: '192.0.2.7', timestamp: timestamp + BigInt(n), ...file },
  ];
  return { type: 'notifier', rpc: 'SendFsEvent', method: 'NotifyFsEvent', args, n, wrong: decided(n, 'ok') };
}

function providerEvent(n: number): Question {
  const object = { ObjectType: 'user', ObjectName: 'anna', ObjectData: userOf(n), IP: '192.0.2.7' };
  const args = [{ Action: 'update', Username: `u${n}`, Timestamp: timestamp + BigInt(n), ...object }];
  return {
    type: 'notifier',
    rpc: 'SendProviderEvent',
    method: 'NotifyProviderEvent',
    args,
    n,
    wrong: decided(n, 'ok'),
  };
}

function search(n: number): Question {
  const found = (outcome: CallOutcome) =>
    Buffer.from(String(outcome.output?.[0]), 'base64').toString().includes(`"username":"u${n}"`);
  const args = [{ Username: `u${n}`, Limit: 10, FsProvider: -1 }];
  return {
    type: 'eventsearcher',
    rpc: 'SearchFsEvents',
    method: 'SearchFsEvents',
    args,
    n,
    wrong: decided(n, 'ok', found),
  };
}

function searchLogs(n: number): Question {
  const args = [{ Username: `u${n}`, Limit: 10 }];
  return {
    type: 'eventsearcher',
    rpc: 'SearchLogEvents',
    method: 'SearchLogEvents',
    args,
    n,
    wrong: decided(n, 'ok'),
  };
}

function fileTime(n: number): Question {
  const wrong = decided(n, 'NOT_FOUND', ({ output }) => output?.[0] === n);
  return {
    type: 'metadata',
    rpc: 'GetModificationTime',
    method: 'GetModificationTime',
    args: ['s3://soak', `/f${n}`],
    n,
    wrong,
  };
}

function setFileTime(n: number): Question {
  const args = ['s3://soak', `/f${n}`, n];
  return {
    type: 'metadata',
    rpc: 'SetModificationTime',
    method: 'SetModificationTime',
    args,
    n,
    wrong: decided(n, 'ok'),
  };
}

/** A question that ends the process of the function. */
export function deadly(n: number): Question {
  return { ...setFileTime(n), args: ['s3://soak', `/exit${n}`, n] };
}

const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

/** In turns: about as SFTPGo asks, connections and events before logins, and all types. */
const makers: readonly ((n: number) => Question)[] = [
  address,
  knownAddress,
  (n) => login(n, 'CheckUserAndPass', 'a password'),
  secret,
  fsEvent,
  knownAddress,
  fileTime,
  fsEvent,
  (n) => login(n, 'CheckUserAndPublicKey', 'ssh-ed25519 AAAA\n'),
  search,
  address,
  providerEvent,
  setFileTime,
  (n) => login(n, 'CheckUserAndTLSCert', pem),
  knownAddress,
  dialogue,
  secret,
  searchLogs,
  (n) => login(n, 'CheckUserAndKeyboardInteractive'),
];

/** The n-th question, n < 8,000,000. */
export function question(n: number): Question {
  const make = makers[n % makers.length];
  if (make === undefined) throw new Error('no question');
  return make(n);
}
