import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCertificate } from '../../adapter/goplugin/server/certificate.ts';
import { type Asked, createCaller } from '../../functions/kit/fixtures/caller.ts';
import { type BuiltFunction, buildFunction } from '../../infra/build/function.ts';
import type { AnswerMessage, RequestMessage } from '../../proto/signature/message.ts';
import { exampleEntry } from './deployment.ts';
import { startWorkerd, type Workerd } from './workerd.ts';

const caller = createCaller();
const tls = createCertificate({ names: ['localhost', '127.0.0.1'] });
/** One connection, so that an answer given too early would spoil the request after it. */
const oneConnection = new Agent({ keepAlive: true, maxSockets: 1, ca: tls.certPem });
/** The connections that calls went over. */
const connections = new Set<object>();
let dir: string;
let built: BuiltFunction;
let workerd: Workerd;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sftpgo-plugin-workerd-test-'));
  built = await buildFunction({ entry: exampleEntry, name: 'office', outDir: dir });
  workerd = await start();
});
afterAll(async () => {
  oneConnection.destroy();
  await workerd.close();
  rmSync(dir, { recursive: true });
});

function start(module = join(dir, 'office.worker.mjs')): Promise<Workerd> {
  const { PLUGIN_KEY, ...env } = caller.env;
  return startWorkerd({ module, env, secrets: { PLUGIN_KEY }, tls });
}

/** Sends a message as it is, over the one connection. */
function send({ method, url, headers, body }: RequestMessage): Promise<AnswerMessage & { json: unknown }> {
  return new Promise((resolve, reject) => {
    const fields = { ...Object.fromEntries(headers), 'content-length': String(body.byteLength) };
    const sent = httpsRequest(url, { method, headers: fields, agent: oneConnection }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
      response.on('end', () => {
        const whole = Buffer.concat(chunks);
        const answerHeaders = Object.entries(response.headersDistinct).flatMap(([name, values]) =>
          (values ?? []).map((value) => [name, value] as const),
        );
        const json: unknown = JSON.parse(whole.toString());
        resolve({ status: response.statusCode ?? 0, headers: answerHeaders, body: whole, json });
      });
    });
    sent.on('error', reject).on('socket', (socket) => connections.add(socket));
    sent.end(body);
  });
}

async function signed(asked: Asked) {
  const request = await caller.sign({ origin: workerd.url, ...asked });
  const answer = await send(request);
  const { plugin } = await caller.verify(request, answer);
  return { status: answer.status, json: answer.json, facts: plugin };
}

test.each([
  ['203.0.113.9', 200],
  ['203.0.113.66', 403],
  ['192.0.2.1', 403],
  ['2001:db8:7::1', 200],
  ['2001:db8:7:bad::1', 403],
  ['::ffff:203.0.113.9', 200],
])('the example asked about %s over TLS answers %i, signed', async (ip, status) => {
  const answer = await signed({ body: { ip, protocol: 'SSH' } });
  expect(answer.status).toBe(status);
  expect(answer.facts.get('plugin-cache')).toBe('max-age=60');
  const worker = built.artifacts.find(({ runtime }) => runtime === 'worker');
  expect(answer.facts.get('plugin-version')).toBe(worker?.buildId);
});

test('Reload is answered', async () => {
  expect(await signed({ rpc: 'Reload' })).toMatchObject({ status: 200, json: {} });
});

test('a call without a signature and one sent twice are refused without a signature', async () => {
  const good = await caller.sign({ origin: workerd.url, body: { ip: '203.0.113.9' } });
  const bare = { ...good, headers: good.headers.filter(([name]) => !name.startsWith('signature')) };
  expect(await send(bare)).toMatchObject({ status: 401, json: { code: 'unauthenticated' } });
  expect(await send(good)).toMatchObject({ status: 200 });
  const again = await send(good);
  expect(again).toMatchObject({ status: 401, json: { code: 'unauthenticated' } });
  expect(again.headers.map(([name]) => name)).not.toContain('signature');
});

test('200 refused calls with bodies leave the connection usable', async () => {
  const refused = await caller.sign({ origin: workerd.url, body: { pad: 'x'.repeat(300_000) } });
  const headers = refused.headers.filter(([name]) => name !== 'signature');
  const paths = ['/proto.IPFilter/CheckIP', '/', '/proto.Auth/CheckUserAndPass', '/nothing'];
  expect((await signed({ body: { ip: '203.0.113.9' } })).status).toBe(200);
  connections.clear();
  for (let n = 0; n < 200; n++) {
    const url = `${workerd.url}${paths[n % paths.length]}`;
    expect([401, 404]).toContain((await send({ ...refused, url, headers })).status);
  }
  const large = await caller.sign({ origin: workerd.url, body: { ip: 'x'.repeat(2 * 1024 * 1024) } });
  expect((await send(large)).status).toBe(429);
  expect((await signed({ body: { ip: '203.0.113.9' } })).status).toBe(200);
  expect(connections.size).toBe(1);
});

test('a handler that never returns and one that throws are signed errors', async () => {
  const entry = join(dir, 'bad.ts');
  writeFileSync(
    entry,
    `import { allow, ipfilter } from 'sftpgo-plugin-serverless/kit';
    export default ipfilter({ async checkIP({ protocol }) {
      if (protocol === 'SSH') await new Promise(() => {});
      if (protocol === 'FTP') await fetch('https://192.0.2.1/');
      return allow();
    } });`,
  );
  await buildFunction({ entry, name: 'bad', outDir: dir });
  const bad = await start(join(dir, 'bad.worker.mjs'));
  const ask = (protocol: string) =>
    signed({
      origin: bad.url,
      body: { ip: '192.0.2.1', protocol },
      headers: { 'connect-timeout-ms': '300' },
    });
  expect(await ask('SSH')).toMatchObject({ status: 504, json: { code: 'deadline_exceeded' } });
  // the harness gives the function no way out, so that no test depends on a network
  expect(await ask('FTP')).toMatchObject({ status: 500, json: { code: 'internal' } });
  expect(await ask('DAV')).toMatchObject({ status: 200 });
  await bad.close();
});

test('a function without settings answers 503 and names the setting in its log, never a value', async () => {
  const lost = await startWorkerd({
    module: join(dir, 'office.worker.mjs'),
    env: {
      PLUGIN_FUNCTION: 'office@live',
      PLUGIN_CALLERS: caller.env.PLUGIN_CALLERS,
      PLUGIN_KEY: '{"d":"c2VjcmV0"',
    },
    tls,
  });
  const answer = await send(await caller.sign({ origin: lost.url }));
  expect(answer).toMatchObject({ status: 503, json: { code: 'unavailable' } });
  await lost.close();
  expect(lost.output()).toContain('PLUGIN_KEY is not JSON');
  expect(lost.output()).not.toContain('c2VjcmV0');
});

test('a module that does not load is reported with the words of workerd', async () => {
  await expect(startWorkerd({ module: Buffer.from('export default {') })).rejects.toThrow(/SyntaxError/);
});

test('workerd ends with the process that started it, even a killed one', async () => {
  const script = `import { startWorkerd } from ${JSON.stringify(join(import.meta.dirname, 'workerd.ts'))};
    const { pid } = await startWorkerd({ module: ${JSON.stringify(join(dir, 'office.worker.mjs'))} });
    console.log(pid); setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toContain('workerd');
  parent.kill('SIGKILL');
  await expect.poll(() => isAlive(pid), { timeout: 5_000 }).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    // a zombie that nobody waits for has ended too
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
