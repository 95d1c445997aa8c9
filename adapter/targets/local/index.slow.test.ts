import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { sha256Hex } from '../../../proto/lock/digest.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import { recordingLog } from '../../../test/support/invoke.ts';
import { newKey, publicOf } from '../../../test/support/keys.ts';
import { codeOf } from '../../../test/support/policies.ts';
import { UnreachableError } from '../https/send.ts';
import { openLocal } from './index.ts';

const name = 'office@live';
const caller = publicOf(newKey());
let folder: string;
let log: ReturnType<typeof recordingLog>;
let opened: ReturnType<typeof openLocal>[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'local-'));
  log = recordingLog();
  opened = [];
});
afterEach(async () => {
  for (const { target } of opened) await target.close();
  await rm(folder, { recursive: true });
});

/** A module whose handler is this text; `request`, `env` and `text` (the body) are in scope. */
const moduleOf = (handler: string, top = '') => `${top}
export default { async fetch(request, env, platform) {
  const text = await request.text();
  if (text === 'hello') return new Response('world', { headers: { 'plugin-a': 'b' } });
  ${handler}
} };`;

function lockedAs(code: string, rest: Partial<LockedFunction['accepts'][number]> = {}): LockedFunction {
  const files = { 'office.worker.mjs': sha256Hex(code) };
  return {
    type: 'ipfilter',
    target: 'local',
    address: 'out/../office.worker.mjs',
    handles: ['CheckIP'],
    accepts: [{ version: 'a build', files, config: {}, inputs: {}, ...rest }],
    keys: [],
  };
}

async function open(code: string, locked = lockedAs(code), memory = 64 * 1024 * 1024) {
  await writeFile(join(folder, 'office.worker.mjs'), code);
  const local = openLocal(name, locked, { folder, caller, config: { memory }, log, silenceMs: 200 });
  opened.push(local);
  const send = async (body: string, timeoutMs = 20_000) => {
    const answer = await local.target.send(
      {
        url: `${local.target.origin('')}/proto.IPFilter/CheckIP`,
        headers: [['content-type', 'application/json']],
        body: new TextEncoder().encode(body),
      },
      '',
      AbortSignal.timeout(timeoutMs),
    );
    return { ...answer, text: new TextDecoder().decode(answer.body) };
  };
  return { ...local, send };
}

/** Asks until there is an answer: a function that crashed twice pauses before it starts again. */
async function worksAgain(send: (body: string) => Promise<{ text: string }>): Promise<string> {
  return await vi.waitFor(async () => (await send('hello')).text, { timeout: 15_000, interval: 50 });
}

test('a call goes into the thread and its answer comes back, with the version whose bytes ran', async () => {
  const { send, verifier, target } = await open(
    moduleOf(
      `return new Response(request.method + ' ' + request.url + ' ' + request.headers.get('content-type'), { status: 403 })`,
    ),
  );
  expect(target.origin('')).toBe('https://office.local.invalid');
  const hello = await send('hello');
  expect(hello).toMatchObject({ status: 200, text: 'world', executed: 'a build' });
  expect(hello.headers).toContainEqual(['plugin-a', 'b']);
  expect(await send('x')).toMatchObject({
    status: 403,
    text: 'POST https://office.local.invalid/proto.IPFilter/CheckIP application/json',
  });
  expect(verifier.accept('', hello, undefined, AbortSignal.timeout(1000))).toBe('platform');
});

test('the function gets its name, its caller, a key of its own and the variables of the lock, and nothing else', async () => {
  const code = moduleOf('return Response.json({ env, process: process.env, argv: process.argv.slice(2) })');
  const variables = { config: { environment: { TABLE: 'users' } } };
  const { send, ownKeys } = await open(code, lockedAs(code, variables));
  const said = JSON.parse((await send('x')).text);
  expect(Object.keys(said.env).sort()).toEqual(['PLUGIN_CALLERS', 'PLUGIN_FUNCTION', 'PLUGIN_KEY', 'TABLE']);
  expect(said.env).toMatchObject({ PLUGIN_FUNCTION: name, TABLE: 'users' });
  expect(JSON.parse(said.env.PLUGIN_CALLERS)).toEqual({ keys: [caller] });
  expect([said.process, said.argv]).toEqual([{}, []]);
  expect(ownKeys('a stranger')).toBeUndefined();
});

test('variables that would replace a setting are refused', async () => {
  const code = moduleOf('');
  const variables = { config: { environment: { PLUGIN_CALLERS: '{}' } } };
  const { send } = await open(code, lockedAs(code, variables));
  expect(await codeOf(send('hello'))).toBe('LOCK_INVALID');
});

test('a tampered file is refused before a byte of it runs, with both digests; a mended one is taken', async () => {
  const good = moduleOf('');
  const marker = join(folder, 'ran');
  const bad = moduleOf(
    '',
    `process.getBuiltinModule('node:fs').writeFileSync(${JSON.stringify(marker)}, '');`,
  );
  const { send, verifier } = await open(bad, lockedAs(good));
  await expect(send('hello')).rejects.toMatchObject({
    code: 'DRIFT',
    happened: expect.stringContaining(sha256Hex(bad)),
    expected: expect.stringContaining(sha256Hex(good)),
  });
  const [finding] = await verifier.audit(AbortSignal.timeout(1000));
  expect(finding).toMatchObject({ ok: false, expected: sha256Hex(good), found: sha256Hex(bad) });
  expect(process.getBuiltinModule('node:fs').existsSync(marker)).toBe(false);
  expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  await writeFile(join(folder, 'office.worker.mjs'), good);
  expect(await worksAgain(send)).toBe('world');
  expect(await verifier.audit(AbortSignal.timeout(1000))).toMatchObject([{ ok: true, version: 'a build' }]);
});

test('a file that changes while it runs changes nothing until the next start, which refuses it', async () => {
  const code = moduleOf('process.exit(0)');
  const { send } = await open(code);
  await send('hello');
  await writeFile(join(folder, 'office.worker.mjs'), `${code}\n`);
  expect((await send('hello')).text).toBe('world');
  expect(await codeOf(send('exit'))).toBe('UNREACHABLE');
  expect(await codeOf(send('hello'))).toBe('DRIFT');
});

test('an answer without its version is not accepted', async () => {
  const { verifier } = await open(moduleOf(''));
  const accept = (executed: Record<string, string>) => () =>
    verifier.accept(
      '',
      { status: 200, headers: [], body: new Uint8Array(), ...executed },
      'a build',
      AbortSignal.timeout(1),
    );
  expect(accept({})).toThrow('runs an unknown version');
  expect(accept({ executed: 'another' })).toThrow('runs another');
});

test.each([
  ['missing', async () => await rm(join(folder, 'office.worker.mjs'))],
  [
    'a folder',
    async () =>
      await rm(join(folder, 'office.worker.mjs')).then(() =>
        process.getBuiltinModule('node:fs').mkdirSync(join(folder, 'office.worker.mjs')),
      ),
  ],
])('a file that is %s is drift', async (_, change) => {
  const code = moduleOf('');
  const { target } = await open(code);
  await target.close();
  await change();
  const again = openLocal(name, lockedAs(code), { folder, caller, config: undefined, log });
  opened.push(again);
  const message = { url: again.target.origin(''), headers: [], body: new Uint8Array() };
  expect(await codeOf(again.target.send(message, '', AbortSignal.timeout(5000)))).toBe('DRIFT');
});

test.each([
  ['throws', `throw new Error('at import')`, /Error: at import/],
  ['is no module', 'this is no JavaScript', /SyntaxError/],
  ['imports another file', `import './other.mjs'`, /cannot import \.\/other\.mjs/],
  ['ends the process', 'process.exit(3)', /exited with code 3/],
])('a module that %s while it loads leaves every call unreachable and unexecuted', async (_, top, reason) => {
  const { send } = await open(moduleOf('', top));
  await expect(send('hello')).rejects.toMatchObject({
    code: 'UNREACHABLE',
    notExecuted: true,
    message: expect.stringMatching(reason),
  });
});

test.each([
  ['process.exit', 'process.exit(1)', /exited with code 1/],
  [
    'an error that nobody catches',
    `setTimeout(() => { throw new Error('later') }); await new Promise(() => {})`,
    /later/,
  ],
  [
    'a rejection that nobody handles',
    `void Promise.reject(new Error('lost')); await new Promise(() => {})`,
    /lost/,
  ],
  ['a heap that fills slowly', 'const kept = []; for (;;) kept.push({ a: 1 })', /64 MiB of heap/],
  [
    'a heap that fills at once',
    'const kept = []; for (;;) kept.push(new Array(2e7).fill(1.5))',
    /64 MiB of heap/,
  ],
])(
  '%s costs the calls under way, may have had effects, and the next call works',
  async (_, handler, reason) => {
    const { send } = await open(moduleOf(handler));
    await expect(send('x')).rejects.toMatchObject({
      code: 'UNREACHABLE',
      notExecuted: false,
      message: expect.stringMatching(reason),
    });
    expect((await send('hello')).text).toBe('world');
  },
);

test('a handler that throws costs its own call and not the thread', async () => {
  const { send } = await open(
    moduleOf(
      `if (text === 'count') return new Response(String(count += 1)); throw new Error('mine')`,
      'let count = 0;',
    ),
  );
  expect((await send('count')).text).toBe('1');
  const thrown = await send('x').catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(UnreachableError);
  expect(thrown).toMatchObject({ message: expect.stringContaining('Error: mine'), notExecuted: false });
  expect((await send('count')).text).toBe('2');
});

test('what a bundle itself says on the port of its thread ends neither its call nor the adapter', async () => {
  const { send } = await open(
    moduleOf(
      "for (const said of [null, 'ready', { type: 'unusable' }]) port.postMessage(said); return new Response('here');",
      "import { parentPort as port } from 'node:worker_threads';",
    ),
  );
  expect((await send('x')).text).toBe('here');
});

test('an endless loop costs its call at the deadline, and the calls behind it never began', async () => {
  const { send } = await open(moduleOf('for (;;);'));
  await send('hello');
  const loop = codeOf(send('x', 100));
  const behind = send('hello').catch((error: unknown) => error);
  expect(await loop).toBe('DEADLINE');
  expect(await behind).toMatchObject({ notExecuted: true, message: expect.stringContaining('endless loop') });
  expect(await worksAgain(send)).toBe('world');
});

test('a slow function that is alive keeps its thread after a missed deadline', async () => {
  const { send } = await open(
    moduleOf(
      `if (text === 'count') return new Response(String(count += 1)); await new Promise((done) => setTimeout(done, 500))`,
      'let count = 0;',
    ),
  );
  expect((await send('count')).text).toBe('1');
  expect(await codeOf(send('x', 50))).toBe('DEADLINE');
  // twice the silence that would end it
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect((await send('count')).text).toBe('2');
});

test('a function that crashes at once, again and again, is paused', async () => {
  const { send } = await open(moduleOf('process.exit(1)'));
  expect(await codeOf(send('x'))).toBe('UNREACHABLE');
  expect(await codeOf(send('x'))).toBe('UNREACHABLE');
  await expect(send('hello')).rejects.toMatchObject({
    happened: expect.stringContaining('crashes again and again'),
  });
  expect(await worksAgain(send)).toBe('world');
});

test('what a function prints is in the log, line by line, and never on the streams of this process', async () => {
  const write = vi.spyOn(process.stdout, 'write');
  const { send } = await open(
    moduleOf(`
      console.log(JSON.stringify({ level: 'error', message: 'of the kit', ip: '192.0.2.1' }));
      console.log('console');
      process.stdout.write('raw\\n');
      process.stderr.write('y'.repeat(100_000) + '\\n');
      return new Response('done');`),
  );
  expect((await send('x')).text).toBe('done');
  await vi.waitFor(() => expect(log.lines).toHaveLength(4));
  expect(log.lines).toContainEqual({ level: 'error', text: 'of the kit ip=192.0.2.1 function=office@live' });
  expect(log.lines).toContainEqual({ level: 'info', text: 'console function=office@live' });
  expect(log.lines).toContainEqual({ level: 'info', text: 'raw function=office@live' });
  expect(log.lines.find(({ level }) => level === 'warn')?.text.length).toBeLessThan(5000);
  expect(write.mock.calls.flat().join()).not.toMatch(/console|raw|yyy/);
});

test('20 MB go in; an answer over 6 MiB does not come out', async () => {
  const { send } = await open(
    moduleOf(
      `return new Response(text.startsWith('big') ? new Uint8Array(7 * 1024 * 1024) : String(text.length))`,
    ),
    undefined,
    256 * 1024 * 1024,
  );
  expect((await send('x'.repeat(20_000_000))).text).toBe('20000000');
  await expect(send('big')).rejects.toMatchObject({
    code: 'UNREACHABLE',
    message: expect.stringContaining('longer than'),
  });
  expect((await send('hello')).text).toBe('world');
});

test('closing waits for calls and for waitUntil', async () => {
  const { send, target } = await open(
    moduleOf(
      `platform.waitUntil(new Promise((done) => setTimeout(() => { console.log('stored'); done(); }, 100))); return new Response('ok')`,
    ),
  );
  await send('x');
  await target.close();
  await vi.waitFor(() => expect(log.lines.map(({ text }) => text)).toContain('stored function=office@live'));
});
