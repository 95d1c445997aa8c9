import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, type TestContext, test, vi } from 'vitest';
import { KV } from '../../proto/gen/goplugin/kv_pb.ts';
import { type LaunchOptions, launch, type PluginClient } from './host/launch.ts';

const file = (name: string) => new URL(name, import.meta.url).pathname;
const plugin = file('fixture/plugin.ts');
// Each test starts processes, all at once: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 30_000 });

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'goplugin-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

type LogRecord = [level: string, message: string];

async function start(
  context: TestContext,
  options: Partial<LaunchOptions> = {},
): Promise<{ client: PluginClient; log: LogRecord[] }> {
  const log: LogRecord[] = [];
  const client = await launch({
    cmd: process.execPath,
    args: [plugin],
    cookie: { name: 'FIXTURE', value: 'yes' },
    versions: [1],
    onLog: (level, message) => log.push([level, message]),
    ...options,
    env: { TMPDIR: folder, ...options.env },
  });
  context.onTestFinished(async () => void (await client.kill()));
  return { client, log };
}

const lives = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test.concurrent('start, call, misbehave in every way, flush, end: with AutoMTLS', async (context) => {
  const flush = join(folder, 'flush');
  const { client, log } = await start(context, { versions: [1, 2, 3], env: { FIXTURE_FLUSH: flush } });
  const put = (key: string) => client.call(KV.method.put, { key });
  expect(client.version).toBe(2);
  await put('stdout');
  await put('exception');
  await put('rejection');
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGUSR1'] as const) process.kill(client.pid, signal);
  await put('log');
  const { output } = await client.call(KV.method.get, { key: 'pid' });
  expect(Buffer.from(output.value).toString()).toBe(String(client.pid));
  expect(log).toContainEqual(['info', 'a stray line before the handshake']);
  expect(log.some(([level, message]) => level === 'info' && message.startsWith('xxxx'))).toBe(true);
  await context.expect.poll(() => log).toContainEqual(['error', 'uncaught exception']);
  await context.expect.poll(() => log).toContainEqual(['error', 'unhandled rejection']);
  await context.expect.poll(() => log).toContainEqual(['error', 'a line for the host']);
  await context.expect
    .poll(() => log.filter(([, message]) => message.startsWith('signal ignored')).length)
    .toBe(3);
  expect(log.some(([, message]) => message.startsWith('Debugger listening'))).toBe(false);
  expect(client.exited).toBe(false);
  expect(await client.kill()).toEqual({ code: 0, signal: null });
  expect(client.exited).toBe(true);
  expect(readFileSync(flush, 'utf8')).toBe('flushed');
  expect(existsSync(dirname(client.address))).toBe(false);
  expect(log.some(([, message]) => message === 'plugin failed to exit gracefully')).toBe(false);
});

test.concurrent('SIGTERM ends it in order: what was left is stored, the socket is removed', async (context) => {
  const flush = join(folder, 'flush-at-sigterm');
  const { client } = await start(context, { env: { FIXTURE_FLUSH: flush } });
  process.kill(client.pid, 'SIGTERM');
  expect(await client.done).toEqual({ code: 0, signal: null });
  expect(readFileSync(flush, 'utf8')).toBe('flushed');
  expect(existsSync(dirname(client.address))).toBe(false);
});

test.concurrent('a burst of 20,000 lines neither ends the plugin nor stops its answers', async (context) => {
  const { client, log } = await start(context, { autoMtls: false });
  await client.call(KV.method.put, { key: 'burst' });
  await client.call(KV.method.get, { key: 'pid' });
  await context.expect.poll(() => log.length, { timeout: 5000 }).toBeGreaterThan(5000);
  expect(await client.kill()).toEqual({ code: 0, signal: null });
});

test.concurrent('the wrong cookie: nothing on stdout, a sentence on stderr, exit code 1', async (context) => {
  const log: LogRecord[] = [];
  const refused = start(context, {
    cookie: { name: 'FIXTURE', value: 'no' },
    onLog: (...record) => log.push([record[0], record[1]]),
  });
  await expect(refused).rejects.toMatchObject({
    code: 'PLUGIN_EXITED',
    message: expect.stringContaining('code 1'),
  });
  expect(log.some(([, message]) => message.includes('This is a plugin'))).toBe(true);
});

test.concurrent('a version that the plugin does not speak is reported with both lists', async (context) => {
  const refused = start(context, { versions: [7] });
  await expect(refused).rejects.toMatchObject({
    code: 'HANDSHAKE_INVALID',
    message: expect.stringContaining('speaks version 1; expected one of [7]'),
  });
});

test.concurrent('a host that asks for multiplexing hears no', async (context) => {
  await expect(start(context, { multiplex: true })).rejects.toThrow('does not support broker multiplexing');
});

test.concurrent('a plugin whose host was killed is gone soon, and its socket with it', async (context) => {
  const sockets = mkdtempSync(join(folder, 'orphan-'));
  // The plugin's own stdout and stderr stay open: only the change of parent can tell it.
  const script = `
    const child = require('node:child_process').spawn(process.execPath, ['${plugin}'], { stdio: 'inherit' });
    process.stdout.write(child.pid + '\\n');
    setInterval(() => undefined, 1000);`;
  const host = spawn(process.execPath, ['-e', script], {
    env: { FIXTURE: 'yes', PLUGIN_PROTOCOL_VERSIONS: '1', TMPDIR: sockets },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let printed = '';
  host.stdout.on('data', (chunk) => {
    printed += chunk;
  });
  await context.expect.poll(() => printed, { timeout: 10_000 }).toMatch(/^\d+\n1\|1\|unix\|.*\|grpc\|\n$/);
  const pid = Number(printed.split('\n')[0]);
  context.onTestFinished(() => void (lives(pid) && process.kill(pid, 'SIGKILL')));
  expect(lives(pid)).toBe(true);
  host.kill('SIGKILL');
  await once(host, 'exit');
  await context.expect.poll(() => lives(pid), { timeout: 5000 }).toBe(false);
  expect(readdirSync(sockets)).toEqual([]);
});

test.concurrent('a plugin whose log nobody reads any more ends', async (context) => {
  const child = spawn(process.execPath, [plugin], {
    env: { FIXTURE: 'yes', TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  context.onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  child.stderr.destroy();
  const exited = once(child, 'exit');
  // Something to log: the interrupt that it ignores.
  child.kill('SIGINT');
  expect(await exited).toEqual([0, null]);
});

test.concurrent('a plugin that does not end after Shutdown is killed two seconds later', async (context) => {
  const { client, log } = await start(context, { autoMtls: false });
  await client.call(KV.method.put, { key: 'linger' });
  expect(await client.kill()).toEqual({ code: null, signal: 'SIGKILL' });
  expect(log).toContainEqual(['warn', 'plugin failed to exit gracefully']);
});

test.concurrent('a plugin that says nothing is killed after the start timeout', async () => {
  const started = launch({
    cmd: process.execPath,
    args: ['-e', 'setInterval(() => undefined, 1000)'],
    cookie: { name: 'C', value: 'v' },
    versions: [1],
    startTimeoutMs: 100,
  });
  await expect(started).rejects.toMatchObject({
    code: 'HANDSHAKE_INVALID',
    message: /nothing on stdout for 100 ms/,
  });
});

test.concurrent('a command that cannot be started says so', async () => {
  const started = launch({ cmd: '/nowhere/plugin', cookie: { name: 'C', value: 'v' }, versions: [1] });
  await expect(started).rejects.toMatchObject({
    code: 'PLUGIN_EXITED',
    message: expect.stringContaining('ENOENT'),
  });
});

test.concurrent('a file with another checksum is not started', async (context) => {
  const log: LogRecord[] = [];
  const started = start(context, {
    sha256: '0'.repeat(64),
    onLog: (level, message) => log.push([level, message]),
  });
  await expect(started).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' });
  expect(log).toEqual([]);
});

test.concurrent('the example stores a value and reads it back', async () => {
  const host = spawn(process.execPath, [file('example/host.ts'), 'greeting', 'hello'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  host.stdout.on('data', (chunk) => {
    output += chunk;
  });
  let log = '';
  host.stderr.on('data', (chunk) => {
    log += chunk;
  });
  expect(await once(host, 'close')).toEqual([0, null]);
  expect(output).toBe('hello\n');
  expect(log).toContain('info: stored');
});
