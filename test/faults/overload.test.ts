import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { KMS } from '../../proto/gen/sftpgo/kms_pb.ts';
import { Notifier } from '../../proto/gen/sftpgo/notifier_pb.ts';
import { endingOf } from './columns.ts';
import type { Column } from './matrix.ts';
import { recovers } from './play.ts';
import { type Role, type Stage, startStage } from './stage.ts';

const flood = 10_000;
const timeoutMs = 60_000;
/** A request, its answer and what Node needs for them, for some thousand calls that are open at once. */
const maxResidentBytes = 400 * 2 ** 20;
const socketOf = (column: Column) => join(tmpdir(), `overload-${process.pid}-${column}.sock`);
const metrics = (column: Column) => `metrics: { listen: 'unix:${socketOf(column)}' }`;

let stage: Stage;
beforeAll(async () => {
  vi.spyOn(console, 'warn').mockReturnValue();
  stage = await startStage({
    columns: ['ipfilterOpen', 'kms', 'notifier'],
    // the functions share a processor with ten thousand clients
    timeoutMs: (column) => (column === 'ipfilterOpen' ? 5000 : 30_000),
    sections: {
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

/** A function that takes its time; tells how many requests it had open at once. */
function slow({ server }: Role, ms: number): { most: number } {
  const open = { most: 0, now: 0 };
  server.intercept = async (_request, honest) => {
    open.now += 1;
    open.most = Math.max(open.most, open.now);
    await sleep(ms);
    open.now -= 1;
    return await honest();
  };
  return open;
}

const tally = (endings: readonly string[]): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(endings, (one) => one)].map(([one, { length }]) => [one, length]));

/** Makes all calls at once, and looks at the adapter's memory until they are answered. */
async function drown(column: Column, ask: (n: number) => Promise<unknown>) {
  const asked = await figure(column, 'calls_total');
  const shed = await figure(column, 'calls_total', 'outcome="shed"');
  let answered = false;
  const all = Promise.all(Array.from({ length: flood }, (_, n) => endingOf(ask(n)))).finally(() => {
    answered = true;
  });
  let mostBytes = 0;
  while (!answered) {
    // a scrape has five seconds, which a drowned process may miss
    mostBytes = Math.max(mostBytes, await figure(column, 'resident_memory_bytes').catch(() => 0));
    await sleep(200);
  }
  const endings = tally(await all);
  expect(mostBytes).toBeGreaterThan(0);
  expect(mostBytes).toBeLessThan(maxResidentBytes);
  await expect.poll(() => figure(column, 'in_flight'), { timeout: 20_000 }).toBe(0);
  return {
    endings,
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
  const { endings, calls } = await drown('ipfilterOpen', (n) =>
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
  expect([Object.values(endings).reduce((a, b) => a + b), calls]).toEqual([flood, flood]);
  role.server.intercept = undefined;
});

test('10,000 Encrypt at once and a slow function: each is answered, and Decrypt comes through', async () => {
  const role = roleOf('kms');
  await recovers(role);
  const open = slow(role, 300);
  const decrypted: Promise<string>[] = [];
  const { endings, calls, shed } = await drown('kms', (n) => {
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
  expect(open.most).toBeLessThanOrEqual(256);
  role.server.intercept = undefined;
});

test('10,000 events at once and a slow function: what is not stored is an error, so that SFTPGo keeps it', async () => {
  const role = roleOf('notifier');
  await recovers(role);
  const stored = new Set<string>();
  const open = slow(role, 300);
  const before = role.server.requests.length;
  const { endings, calls, shed } = await drown('notifier', (n) =>
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
  expect(open.most).toBeLessThanOrEqual(192);
  role.server.intercept = undefined;
  await recovers(role);
});
