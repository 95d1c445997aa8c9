import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { recordingLog } from '../../test/support/invoke.ts';
import { removeDeadSocket } from './dead-socket.ts';
import { exposeMetrics } from './expose.ts';
import { Metrics } from './registry.ts';
import { askRoles, openStatusSocket, type RoleStatus, readStatuses } from './status-socket.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'metrics-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** GET over a unix socket; the status and the body, or undefined while nobody listens. */
async function get(socketPath: string, path = '/metrics'): Promise<string | undefined> {
  return await new Promise((resolve) => {
    const outgoing = request({ socketPath, path, agent: false }, (response) => {
      let text = `${response.statusCode} `;
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    });
    outgoing.on('error', () => resolve(undefined));
    outgoing.end();
  });
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const status: RoleStatus = { type: 'ipfilter', pid: 1, seq: 3, samples: [] };

test('figures over a unix socket, for the owner and the group', async () => {
  const path = join(folder, 'metrics.sock');
  const metrics = new Metrics({ type: 'kms' });
  metrics.count('retries_total');
  const end = exposeMetrics(`unix:${path}`, metrics, recordingLog());
  expect(await until(() => get(path))).toContain('200 # HELP sftpgo_serverless_retries_total');
  expect(await get(path, '/')).toBe('404 GET /metrics\n');
  await until(async () => ((await stat(path)).mode & 0o777) === 0o660 || undefined);
  end();
  await until(async () => (await get(path)) === undefined || undefined);
});

test('a place that is taken is a warning, and is used as soon as it is free', async () => {
  const path = join(folder, 'metrics.sock');
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(path, () => resolve()));
  const log = recordingLog();
  const end = exposeMetrics(`unix:${path}`, new Metrics(), log, 10);
  await until(async () => log.lines.find(({ level }) => level === 'warn'));
  await new Promise((resolve) => other.close(resolve));
  expect(await until(() => get(path))).toBe('200 ');
  expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  end();
});

test('the socket of a killed process is removed, a file or a live one never', async () => {
  const file = join(folder, 'a-file');
  await writeFile(file, 'precious');
  await removeDeadSocket(file);
  expect(existsSync(file)).toBe(true);
  const live = createServer();
  const path = join(folder, 'live.sock');
  await new Promise<void>((resolve) => live.listen(path, () => resolve()));
  await removeDeadSocket(path);
  expect(existsSync(path)).toBe(true);
  await new Promise((resolve) => live.close(resolve));
});

test('a role says its status to its owner alone', async () => {
  const end = await openStatusSocket(folder, 'ipfilter', () => status, recordingLog());
  const path = join(folder, 'status', `ipfilter-${process.pid}.sock`);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(join(folder, 'status'))).mode & 0o777).toBe(0o700);
  expect(await readStatuses(folder)).toEqual([status]);
  await end();
  expect(await readStatuses(folder)).toEqual([]);
  expect(await readStatuses(join(folder, 'nowhere'))).toEqual([]);
});

/** A socket among those of the roles, which says this to whoever connects. */
async function sayer(name: string, text: string): Promise<() => Promise<unknown>> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(text);
  });
  await new Promise<void>((resolve) => server.listen(join(folder, 'status', name), () => resolve()));
  return async () => await new Promise((resolve) => server.close(resolve));
}

test('a role that says nothing, or no status, is one that does not answer: the others are shown', async () => {
  const end = await openStatusSocket(folder, 'ipfilter', () => status, recordingLog());
  const ends = [
    end,
    await sayer('auth-1.sock', ''),
    await sayer('kms-2.sock', '{"type":"kms"}'),
    await sayer('metadata-3.sock', 'x'.repeat(5 << 20)),
  ];
  const said = (await askRoles(folder)).map((role) => [
    role.socket.split('/').at(-1),
    role.status ?? role.silence,
  ]);
  expect(said).toEqual([
    ['auth-1.sock', 'no status'],
    [`ipfilter-${process.pid}.sock`, status],
    ['kms-2.sock', 'no status'],
    ['metadata-3.sock', 'too much'],
  ]);
  expect(await readStatuses(folder)).toEqual([status]);
  for (const close of ends) await close();
  expect(await askRoles(folder)).toEqual([]);
});

test('who asks a role that sixteen others ask gets no answer, and one when they have gone', async () => {
  const end = await openStatusSocket(folder, 'ipfilter', () => status, recordingLog());
  const path = join(folder, 'status', `ipfilter-${process.pid}.sock`);
  const others: Socket[] = [];
  for (let n = 0; n < 16; n += 1) {
    // keeps its half open
    const other = createConnection({ path, allowHalfOpen: true });
    await new Promise((resolve) => other.once('data', resolve));
    others.push(other);
  }
  expect(await askRoles(folder)).toEqual([{ socket: path, silence: expect.any(String) }]);
  for (const other of others) other.destroy();
  expect(await until(async () => (await readStatuses(folder)).at(0))).toEqual(status);
  await end();
});

test('a state folder that cannot be used costs the status and nothing else', async () => {
  await writeFile(join(folder, 'status'), 'in the way');
  const log = recordingLog();
  const end = await openStatusSocket(folder, 'ipfilter', () => status, log);
  expect(log.lines).toEqual([expect.objectContaining({ level: 'warn' })]);
  await end();
  await chmod(folder, 0o700);
});
