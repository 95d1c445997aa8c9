import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCertificate } from '../../adapter/goplugin/server/certificate.ts';
import { createCaller } from '../../functions/kit/fixtures/caller.ts';
import { type BuiltFunction, buildFunction } from '../../infra/build/function.ts';
import type { AnswerMessage, RequestMessage } from '../../proto/signature/message.ts';
import { exampleEntry } from './deployment.ts';

const caller = createCaller();
const tls = createCertificate({ names: ['localhost', '127.0.0.1'] });
let dir: string;
let built: BuiltFunction;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sftpgo-plugin-node-test-'));
  built = await buildFunction({ entry: exampleEntry, name: 'office', outDir: dir });
  writeFileSync(join(dir, 'cert.pem'), tls.certPem);
  writeFileSync(join(dir, 'key.pem'), tls.keyPem);
  writeFileSync(join(dir, 'key.json'), `${caller.env.PLUGIN_KEY}\n`);
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Runs the bundle with nothing in its environment but this. */
function run(env: Record<string, string>) {
  const child = spawn(process.execPath, [join(dir, 'office.node.mjs')], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines = createInterface({ input: child.stdout });
  const errors = createInterface({ input: child.stderr });
  return {
    child,
    firstLine: once(lines, 'line'),
    firstError: once(errors, 'line'),
    exit: once(child, 'exit'),
  };
}

function send({ url, headers, body }: RequestMessage, agent: Agent): Promise<AnswerMessage> {
  return new Promise((resolve, reject) => {
    httpsRequest(url, { method: 'POST', headers: Object.fromEntries(headers), agent }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      const fields = Object.entries(response.headers).map(([k, v]) => [k, String(v)] as const);
      resolve({ status: response.statusCode ?? 0, headers: fields, body: Buffer.concat(chunks) });
    })
      .on('error', reject)
      .end(body);
  });
}

test('the Node bundle serves over TLS from nothing but its environment, and ends on SIGTERM', async () => {
  const { PLUGIN_FUNCTION, PLUGIN_CALLERS } = caller.env;
  const { child, firstLine, exit } = run({
    PORT: '0',
    TLS_CERT_FILE: join(dir, 'cert.pem'),
    TLS_KEY_FILE: join(dir, 'key.pem'),
    PLUGIN_FUNCTION,
    PLUGIN_CALLERS,
    PLUGIN_KEY_FILE: join(dir, 'key.json'),
  });
  const [line] = (await firstLine) as [string];
  const { message, url } = JSON.parse(line) as { message: string; url: string };
  expect(message).toBe('listening');
  const agent = new Agent({ keepAlive: true, ca: tls.certPem });
  for (const [ip, status] of [
    ['2001:db8:7::1', 200],
    ['192.0.2.1', 403],
  ] as const) {
    const request = await caller.sign({ origin: url, body: { ip, protocol: 'SSH' } });
    const answer = await send(request, agent);
    expect(answer.status).toBe(status);
    const { plugin } = await caller.verify(request, answer);
    expect(plugin.get('plugin-version')).toBe(built.artifacts.find((a) => a.runtime === 'node')?.buildId);
  }
  child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
  agent.destroy();
});

test.each<[string, Record<string, string>, string]>([
  ['half of a TLS key pair', { TLS_CERT_FILE: 'cert.pem' }, 'set both TLS_CERT_FILE and TLS_KEY_FILE'],
  ['a port that is none', { PORT: 'https' }, 'cannot serve'],
  ['a key file that is missing', { PLUGIN_KEY_FILE: '/nonexistent/key.json' }, 'ENOENT'],
])('%s ends the Node bundle with a reason', async (_, env, reason) => {
  const paths = Object.fromEntries(
    Object.entries(env).map(([k, v]) => [k, v.endsWith('.pem') ? join(dir, v) : v]),
  );
  const { firstError, exit } = run({ PORT: '0', ...paths });
  expect(String((await firstError)[0])).toContain(reason);
  expect(await exit).toEqual([1, null]);
});
