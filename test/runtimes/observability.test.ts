import { execFile } from 'node:child_process';
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, type PluginClient } from '../../adapter/goplugin/host/launch.ts';
import { buildExecutable } from '../../infra/build/executable.ts';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { pluginTypes } from '../../proto/plugin-types.ts';
import { type FunctionServer, startFunction } from '../support/function-server.ts';
import { makeRoleFolder, type RoleFolder } from '../support/role-folder.ts';

let folder: RoleFolder;
let server: FunctionServer;
let plugin: PluginClient;
let collector: Server;
let executable = '';
const spans: { traceId: string; spanId: string; name: string }[] = [];

beforeAll(async () => {
  collector = createServer(async (incoming, response) => {
    let body = '';
    for await (const chunk of incoming) body += chunk;
    spans.push(...JSON.parse(body).resourceSpans[0].scopeSpans[0].spans);
    response.end('{}');
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const otlp = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  folder = await makeRoleFolder('http://127.0.0.1:1');
  server = await startFunction(folder);
  await folder.lock({ expires: '2099-01-01T00:00:00Z' }, { address: server.url });
  await folder.configure(
    [`metrics: { listen: 'unix:${folder.at('metrics.sock')}' }`],
    ['state: state', `tracing: { otlp: '${otlp}' }`],
  );
  executable = folder.at('sftpgo-plugin-serverless');
  await buildExecutable(join(import.meta.dirname, '../..'), executable);
  plugin = await start();
});
afterAll(async () => {
  await plugin?.kill();
  await server?.close();
  collector?.close();
  await folder?.remove();
});

async function start(): Promise<PluginClient> {
  const [name, value] = pluginTypes.ipfilter.cookie;
  return await launch({
    cmd: executable,
    args: ['serve', '--config', folder.configPath],
    env: { SFTPGO_PLUGIN_SERVERLESS_NODE: process.execPath },
    cookie: { name, value },
    versions: [1],
    onLog: () => undefined,
  });
}

const check = (ip: string) =>
  plugin.call(IPFilter.method.checkIP, { ip, protocol: 'SSH' }, { timeoutMs: 20_000 }).then(
    () => 'allowed',
    () => 'denied',
  );

async function scrape(): Promise<string> {
  return await new Promise((resolve, reject) => {
    const outgoing = request(
      { socketPath: folder.at('metrics.sock'), path: '/metrics', agent: false },
      (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve(text));
      },
    );
    outgoing.on('error', reject);
    outgoing.end();
  });
}

/** Runs a command of the executable; gives its exit code and what it printed. */
async function command(...args: string[]): Promise<{ code: number; stdout: string }> {
  const env = { PATH: '/usr/bin:/bin', SFTPGO_PLUGIN_SERVERLESS_NODE: process.execPath };
  const run = promisify(execFile)(executable, [...args, '--config', folder.configPath], { env });
  return await run.then(
    ({ stdout }) => ({ code: 0, stdout }),
    (error: { code: number; stdout: string }) => ({ code: error.code, stdout: error.stdout }),
  );
}

function sum(text: string, family: string): number {
  const values = [...text.matchAll(new RegExp(`^sftpgo_serverless_${family}(?:\\{.*\\})? (\\S+)$`, 'gm'))];
  return values.reduce((all, [, value]) => all + Number(value), 0);
}

test('each answered call is counted once, by its outcome', async () => {
  // asked, remembered, denied, denied from memory, not asked, failed in the function, no address
  for (const ip of [
    '198.51.100.1',
    '198.51.100.1',
    '192.0.2.66',
    '192.0.2.66',
    '127.0.0.1',
    '192.0.2.99',
    'nobody',
  ]) {
    await check(ip);
  }
  const text = await scrape();
  const outcome = (word: string) =>
    Number(
      new RegExp(
        `calls_total\\{type="ipfilter",rpc="CheckIP",target="https",outcome="${word}"\\} (\\d+)`,
      ).exec(text)?.[1] ?? 0,
    );
  expect(['ok', 'cached', 'denied', 'local', 'invalid'].map(outcome)).toEqual([1, 2, 1, 1, 1]);
  expect(sum(text, 'calls_total')).toBe(7);
  expect(sum(text, 'call_seconds_count')).toBe(7);
  // asked, denied, failed in the function
  expect(sum(text, 'function_seconds_count')).toBe(3);
  expect(sum(text, 'in_flight')).toBe(0);
  expect(sum(text, 'serving')).toBe(1);
  expect(sum(text, 'lock_seq')).toBe(1);
  expect(sum(text, 'lock_expires_timestamp_seconds')).toBe(Date.parse('2099-01-01') / 1000);
  expect(sum(text, 'evidence_age_seconds')).toBeGreaterThan(0);
  expect(sum(text, 'resident_memory_bytes')).toBeGreaterThan(10_000_000);
  expect(text).not.toMatch(/198\.51\.100|192\.0\.2/);
});

test('an answer that a check refused is counted under that check', async () => {
  server.intercept = async (_request, honest) => ({
    ...(await honest()),
    body: new TextEncoder().encode('{ }'),
  });
  await check('198.51.100.2');
  server.intercept = undefined;
  expect(await scrape()).toContain(
    'refused_total{type="ipfilter",rpc="CheckIP",target="https",check="ANSWER_REFUSED"} 1\n',
  );
});

test('status shows the same in the terminal', async () => {
  const { code, stdout } = await command('status');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ipfilter: office@live \(https\), pid \d+, lock seq 1\n/);
  expect(stdout).toMatch(/calls_total +rpc=CheckIP target=https outcome=cached +2\n/);
  const { stdout: json } = await command('status', '--json');
  expect(JSON.parse(json)).toMatchObject({
    type: 'ipfilter',
    function: 'office@live',
    target: 'https',
    seq: 1,
  });
});

test('a role that does not answer is one line of status, beside those that do', async () => {
  const silent = createSocketServer((socket) => socket.end());
  await new Promise<void>((resolve) => silent.listen(folder.at('state/status/auth-1.sock'), resolve));
  const { code, stdout } = await command('status');
  const { stdout: json } = await command('status', '--json');
  await new Promise((resolve) => silent.close(resolve));
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/^auth-1: DOES NOT ANSWER \(no status\)\n\nipfilter: office@live /),
  ]);
  expect(
    json
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toMatchObject([
    { socket: folder.at('state/status/auth-1.sock'), silence: 'no status' },
    { type: 'ipfilter' },
  ]);
});

test('what is wrong with the files stands in status and in the figures of a role that still serves', async () => {
  await folder.write('bundles.lock.json', 'broken');
  await expect
    .poll(async () => (await command('status')).stdout, { timeout: 20_000 })
    .toContain('NOT IN ORDER');
  await folder.lock({ seq: 2, expires: '2099-01-01T00:00:00Z' }, { address: server.url });
  await expect.poll(async () => sum(await scrape(), 'lock_seq'), { timeout: 20_000 }).toBe(2);
  expect((await command('status')).stdout).not.toContain('NOT IN ORDER');
});

test('each request to the function carries the trace that is exported', async () => {
  await check('198.51.100.3');
  const asked = server.requests.at(-1);
  const header = new Map(asked?.headers).get('traceparent') ?? '';
  const callId = new Map(asked?.headers).get('plugin-call-id');
  await expect.poll(() => spans.length, { timeout: 20_000 }).toBeGreaterThan(0);
  await expect
    .poll(
      () =>
        spans.some(({ traceId, spanId }) => header === `00-${traceId}-${spanId}-01` && traceId === callId),
      {
        timeout: 20_000,
      },
    )
    .toBe(true);
});

test('a second process of the role disturbs nobody; when all have ended, status says so', async () => {
  const second = await start();
  await second.call(IPFilter.method.checkIP, { ip: '198.51.100.4', protocol: 'SSH' }, { timeoutMs: 20_000 });
  const both = await command('status', '--json');
  expect(both.stdout.trim().split('\n')).toHaveLength(2);
  await second.kill();
  expect(sum(await scrape(), 'serving')).toBe(1);
  await plugin.kill();
  const { code, stdout } = await command('status');
  expect([code, stdout]).toEqual([1, 'No plugin serves with this state folder.\n']);
});
