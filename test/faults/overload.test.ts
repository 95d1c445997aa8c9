import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Auth } from '../../proto/gen/sftpgo/auth_pb.ts';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { KMS } from '../../proto/gen/sftpgo/kms_pb.ts';
import { Notifier } from '../../proto/gen/sftpgo/notifier_pb.ts';
import { endingOf, record } from './columns.ts';
import type { Column } from './matrix.ts';
import { recovers } from './play.ts';
import { type Role, type Stage, startStage } from './stage.ts';

const flood = 10_000;
const timeoutMs = 60_000;
/** docs/reliability.md, "Overload". */
const [maxOpen, maxOfOneRpc, maxWaiting, maxUnanswered] = [256, 192, 1024, 1000] as const;
/** A request, its answer and what Node needs for them, for some thousand calls that are open at once. */
const maxResidentBytes = 400 * 2 ** 20;
const timeouts: Readonly<Partial<Record<Column, number>>> = { ipfilterOpen: 5000, auth: 60_000 };
const socketOf = (column: Column) => join(tmpdir(), `overload-${process.pid}-${column}.sock`);
const metrics = (column: Column) => `metrics: { listen: 'unix:${socketOf(column)}' }`;

let stage: Stage;
beforeAll(async () => {
  vi.spyOn(console, 'warn').mockReturnValue();
  stage = await startStage({
    columns: ['auth', 'ipfilterOpen', 'kms', 'notifier'],
    // the functions share a processor with ten thousand clients
    timeoutMs: (column) => timeouts[column] ?? 30_000,
    sections: {
      auth: metrics('auth'),
      ipfilterOpen: metrics('ipfilterOpen'),
      kms: metrics('kms'),
      notifier: metrics('notifier'),
    },
  });
});
afterAll(async () => {
  await stage?.close();
  vi.restoreAllMocks();
});

const roleOf = (column: Column): Role => {
  const role = stage.roles.find((one) => one.column === column);
  if (role === undefined) throw new Error(`no ${column}`);
  return role;
};

/** The sum of a family's figures, of those with this label if one is given. */
async function figure(column: Column, family: string, label = ''): Promise<number> {
  const text = await new Promise<string>((resolve, reject) => {
    const socketPath = socketOf(column);
    const outgoing = request({ socketPath, path: '/metrics', agent: false }, (answer) => {
      answer.toArray().then((chunks) => resolve(Buffer.concat(chunks).toString()), reject);
    });
    outgoing.on('error', reject).end();
  });
  const lines = text.split('\n').filter((line) => line.startsWith(`sftpgo_serverless_${family}{`));
  const values = lines.filter((line) => line.includes(label)).map((line) => Number(line.split(' ').at(-1)));
  return values.reduce((all, value) => all + value, 0);
}

/** A function that waits before it answers; tells how many requests it had open at once. */
function slow({ server }: Role, wait: () => Promise<unknown>): { most: number } {
  const open = { most: 0, now: 0 };
  server.intercept = async (_request, honest) => {
    open.now += 1;
    open.most = Math.max(open.most, open.now);
    await wait();
    open.now -= 1;
    return await honest();
  };
  return open;
}

const tally = (endings: readonly string[]): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(endings, (one) => one)].map(([one, { length }]) => [one, length]));

/** Makes all calls at once, and looks at what the adapter holds until they are answered. */
async function drown(column: Column, ask: (n: number) => Promise<unknown>) {
  const asked = await figure(column, 'calls_total');
  const shed = await figure(column, 'calls_total', 'outcome="shed"');
  let answered = false;
  const all = Promise.all(Array.from({ length: flood }, (_, n) => endingOf(ask(n)))).finally(() => {
    answered = true;
  });
  let [mostBytes, mostInFlight] = [0, 0];
  while (!answered) {
    // a scrape has five seconds, which a drowned process may miss
    mostBytes = Math.max(mostBytes, await figure(column, 'resident_memory_bytes').catch(() => 0));
    mostInFlight = Math.max(mostInFlight, await figure(column, 'in_flight').catch(() => 0));
    await sleep(200);
  }
  const endings = tally(await all);
  expect(mostBytes).toBeGreaterThan(0);
  expect(mostBytes).toBeLessThan(maxResidentBytes);
  await expect.poll(() => figure(column, 'in_flight'), { timeout: 20_000 }).toBe(0);
  return {
    endings,
    mostInFlight,
    calls: (await figure(column, 'calls_total')) - asked,
    shed: (await figure(column, 'calls_total', 'outcome="shed"')) - shed,
  };
}

test('10,000 addresses at once drown the function, which would deny them: onUnavailable: allow lets nobody in', async () => {
  const role = roleOf('ipfilterOpen');
  await recovers(role);
  let recent: number[] = [];
  role.server.intercept = async (asked) => {
    const now = performance.now();
    recent = [...recent.filter((at) => now - at < 1000), now];
    if (recent.length > 16) return 'hang';
    return await role.server.sign(asked, { status: 403, body: '{"code":"permission_denied"}' });
  };
  const { endings, calls, mostInFlight } = await drown('ipfilterOpen', (n) =>
    role.adapter.call(
      IPFilter.method.checkIP,
      { ip: `10.200.${n >> 8}.${n & 255}`, protocol: 'HTTP' },
      { timeoutMs },
    ),
  );
  expect(Object.keys(endings)).not.toContain('answered');
  expect(
    Object.keys(endings).filter((ending) => !/^(OVERLOADED|DEADLINE|UNREACHABLE|DENIED) /.test(ending)),
  ).toEqual([]);
  expect(endings['OVERLOADED 8']).toBeGreaterThan(0);
  expect(mostInFlight).toBeLessThanOrEqual(maxUnanswered);
  expect([Object.values(endings).reduce((a, b) => a + b), calls]).toEqual([flood, flood]);
  role.server.intercept = undefined;
});

test('10,000 Encrypt at once and a slow function: each is answered, and Decrypt comes through', async () => {
  const role = roleOf('kms');
  await recovers(role);
  const open = slow(role, () => sleep(300));
  const decrypted: Promise<string>[] = [];
  const { endings, calls, shed, mostInFlight } = await drown('kms', (n) => {
    if (n % 200 === 199) decrypted.push(endingOf(role.ask()));
    return role.adapter.call(
      KMS.method.encrypt,
      { payload: `secret ${n}`, url: 'awskms://alias/sftpgo' },
      { timeoutMs },
    );
  });
  const { answered = 0, 'OVERLOADED 8': refused = 0, ...others } = endings;
  expect(others).toEqual({});
  expect(Math.min(answered, refused)).toBeGreaterThan(0);
  expect(shed).toBe(refused);
  expect(tally(await Promise.all(decrypted))).toEqual({ answered: flood / 200 });
  expect(calls).toBe(flood + flood / 200);
  expect(open.most).toBeLessThanOrEqual(maxOpen);
  expect(mostInFlight).toBeLessThanOrEqual(maxOpen + maxWaiting);
  role.server.intercept = undefined;
});

test('10,000 events at once and a slow function: what is not stored is an error, so that SFTPGo keeps it', async () => {
  const role = roleOf('notifier');
  await recovers(role);
  const stored = new Set<string>();
  const open = slow(role, () => sleep(300));
  const before = role.server.requests.length;
  const { endings, calls, shed, mostInFlight } = await drown('notifier', (n) =>
    role.adapter.call(
      Notifier.method.sendFsEvent,
      { timestamp: BigInt(n), username: 'bob', action: 'upload', fsPath: `/${n}` },
      { timeoutMs },
    ),
  );
  for (const { headers } of role.server.requests.slice(before)) {
    stored.add(new Map(headers).get('plugin-call-id') ?? '');
  }
  const { answered = 0, 'OVERLOADED 8': refused = 0, ...others } = endings;
  expect(others).toEqual({});
  expect([answered + refused, calls, shed]).toEqual([flood, flood, refused]);
  expect(Math.min(answered, refused)).toBeGreaterThan(0);
  expect(stored.size).toBe(answered);
  expect(open.most).toBeLessThanOrEqual(maxOfOneRpc);
  expect(mostInFlight).toBeLessThanOrEqual(maxOfOneRpc + maxWaiting);
  role.server.intercept = undefined;
  await recovers(role);
});

/** A login, of a client that has more time than columns.ts gives it: it shares a processor with all the others. */
const logIn = ({ adapter }: Role): Promise<unknown> => {
  const login = { username: 'bob', password: 'x', protocol: 'SSH', user: Buffer.from(record) };
  return adapter.call(Auth.method.checkUserAndPass, login, { timeoutMs });
};

test('10,000 logins at once and a slow function: one that is shed is an error, which denies it, and was not sent', async () => {
  const role = roleOf('auth');
  await recovers(role);
  const open = slow(role, () => sleep(300));
  const before = role.server.requests.length;
  const { endings, calls, shed, mostInFlight } = await drown('auth', () => logIn(role));
  const { answered = 0, 'OVERLOADED 8': refused = 0, ...others } = endings;
  expect(others).toEqual({});
  expect([answered + refused, calls, shed]).toEqual([flood, flood, refused]);
  expect(Math.min(answered, refused)).toBeGreaterThan(0);
  expect(role.server.requests.length - before).toBe(answered);
  expect(open.most).toBeLessThanOrEqual(maxOfOneRpc);
  expect(mostInFlight).toBeLessThanOrEqual(maxOfOneRpc + maxWaiting);
  role.server.intercept = undefined;
  await recovers(role);
});

test('a flood that lasts while the function answers nobody: 192 logins are asked, 1,024 wait, not one more', async () => {
  const role = roleOf('auth');
  await recovers(role);
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const open = slow(role, () => released);
  let lasts = true;
  const client = async (): Promise<void> => {
    while (lasts) if ((await endingOf(logIn(role))) !== 'answered') await sleep(100);
  };
  const clients = Array.from({ length: 2000 }, client);
  let most = 0;
  const inFlight = async () => {
    const now = await figure('auth', 'in_flight').catch(() => 0);
    most = Math.max(most, now);
    return now;
  };
  await expect.poll(inFlight, { timeout: 60_000, interval: 50 }).toBe(maxOfOneRpc + maxWaiting);
  for (let n = 0; n < 10; n += 1) await inFlight();
  lasts = false;
  release();
  await Promise.all(clients);
  expect([most, open.most]).toEqual([maxOfOneRpc + maxWaiting, maxOfOneRpc]);
  role.server.intercept = undefined;
  await recovers(role);
});
