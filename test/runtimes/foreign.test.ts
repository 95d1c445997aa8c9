import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { createInvoke } from '../../adapter/invoke/index.ts';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import type { PrivateJwk } from '../../proto/keys/jwk.ts';
import type { HeaderList, RequestMessage } from '../../proto/signature/message.ts';
import { nodeCrypto, nodeSigningKey, nodeVerifyingKey } from '../../proto/signature/node.ts';
import { NonceMemory } from '../../proto/signature/nonces.ts';
import { keyRing } from '../../proto/signature/port.ts';
import { signAnswer } from '../../proto/signature/sign-answer.ts';
import { signRequest } from '../../proto/signature/sign-request.ts';
import { verifyRequest } from '../../proto/signature/verify-request.ts';
import { newKeys } from '../support/function-server.ts';
import { callOf, connectionTo } from '../support/invoke.ts';
import { newKey, publicOf } from '../support/keys.ts';
import { findMoto } from '../support/moto.ts';

const examples = join(import.meta.dirname, '../../docs/other-languages');
const vectorsPath = join(examples, 'vectors.json');

interface Vectors {
  readonly function: string;
  readonly keys: Readonly<
    Record<'adapter' | 'function', { readonly keyid: string; readonly jwk: PrivateJwk }>
  >;
  readonly request: Signed & { readonly url: string; readonly nonce: string };
  readonly answers: readonly (Signed & { readonly what: string; readonly status: number })[];
  readonly refused: readonly (Omit<Signed, 'created'> & {
    readonly why: string;
    readonly url: string;
    readonly now: number;
  })[];
}

interface Signed {
  readonly created: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

const vectors: Vectors = JSON.parse(readFileSync(vectorsPath, 'utf8'));
const { adapter, function: own } = vectors.keys;

function toRequest({ url, headers, body }: Omit<Signed, 'created'> & { url: string }): RequestMessage {
  return { method: 'POST', url, headers: Object.entries(headers), body: new TextEncoder().encode(body) };
}

/** Without what signing adds. */
function unsigned(headers: Readonly<Record<string, string>>): HeaderList {
  return Object.entries(headers).filter(([name]) => !/^(content-digest|signature)/.test(name));
}

describe('the published vectors are those of this release', () => {
  const verify = (message: RequestMessage, nowS: number) =>
    verifyRequest(message, {
      keys: keyRing([nodeVerifyingKey(publicOf(adapter.jwk))]),
      crypto: nodeCrypto,
      nowS,
      nonces: new NonceMemory({ maxEntries: 10 }),
      functionName: vectors.function,
    });

  test('the request is signed so, byte by byte, and accepted', async () => {
    const { request } = vectors;
    const message = { ...toRequest(request), headers: unsigned(request.headers) };
    const options = { key: nodeSigningKey(adapter.jwk), crypto: nodeCrypto, nowS: request.created };
    const headers = await signRequest(message, { ...options, nonce: request.nonce });
    expect(Object.fromEntries(headers)).toEqual(request.headers);
    await expect(verify(toRequest(request), request.created)).resolves.toMatchObject({
      keyid: adapter.keyid,
    });
  });

  test.each(vectors.answers)('the answer "$what" is signed so, byte by byte', async (answer) => {
    const headers = await signAnswer(
      {
        status: answer.status,
        headers: unsigned(answer.headers),
        body: new TextEncoder().encode(answer.body),
      },
      {
        request: toRequest(vectors.request),
        key: nodeSigningKey(own.jwk),
        crypto: nodeCrypto,
        nowS: answer.created,
      },
    );
    expect(Object.fromEntries(headers)).toEqual(answer.headers);
  });

  test.each(vectors.refused)('refused: $why', async (request) => {
    await expect(verify(toRequest(request), request.now)).rejects.toMatchObject({
      code: expect.stringMatching(/^(CALL_REFUSED|CLOCK_SKEW)$/),
    });
  });
});

const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill();
});

/** Starts an example; gives its origin. */
async function start(program: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (text: Buffer) => resolve(/listening on (\d+)/.exec(text.toString())?.[1] ?? ''));
    child.once('exit', (code) => reject(new Error(`${program} ended with ${code}`)));
  });
  return `http://127.0.0.1:${port}`;
}

/** moto needs the same cryptography package: its Python has it. */
const moto = await findMoto();
const python = 'program' in moto ? join(dirname(moto.program), 'python') : '';

test('the wrapper for Connect servers is at most 60 lines of code', () => {
  const lines = readFileSync(join(examples, 'signed-fetch.ts'), 'utf8').split('\n');
  expect(lines.filter((line) => line.trim() !== '' && !line.startsWith('/**')).length).toBeLessThanOrEqual(
    60,
  );
});

describe.each([
  {
    language: 'TypeScript on @connectrpc/connect',
    said: 'asked of Connect',
    program: process.execPath,
    file: 'connect-server.ts',
  },
  ...('program' in moto
    ? [{ language: 'Python', said: 'asked of Python', program: python, file: 'function.py' }]
    : []),
])('a function in $language', ({ said, program, file }) => {
  const keys = newKeys();
  const running = start(program, [join(examples, file)], {
    PLUGIN_FUNCTION: 'office@live',
    PLUGIN_CALLERS: JSON.stringify({ keys: [publicOf(keys.adapterKey)] }),
    PLUGIN_KEY: JSON.stringify(keys.functionKey),
  });
  const checkIP = (ip: string, protocol = 'SSH') => callOf(IPFilter.method.checkIP, { ip, protocol });

  test('allows, and its facts arrive', async () => {
    const { facts } = await createInvoke(connectionTo(await running, keys))(checkIP('203.0.113.7'));
    expect(facts).toMatchObject({ evidence: 'claimed', freshMs: 60_000, reason: said });
  });

  test('denies, signed', async () => {
    const refusal = createInvoke(connectionTo(await running, keys))(checkIP('192.0.2.66'));
    await expect(refusal).rejects.toMatchObject({ code: 'DENIED', facts: { reason: said } });
  });

  test('answers Reload, and many calls at once', async () => {
    const invoke = createInvoke(connectionTo(await running, keys));
    await invoke(callOf(IPFilter.method.reload, {}));
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, n) => invoke(checkIP(`198.51.100.${n}`))),
    );
    expect(replies).toHaveLength(50);
  });

  test('refuses an adapter that it does not know, and one that means another function', async () => {
    const url = await running;
    const stranger = createInvoke(connectionTo(url, { ...keys, adapterKey: newKey() }));
    await expect(stranger(checkIP('203.0.113.7'))).rejects.toMatchObject({ code: 'UNREACHABLE' });
    const other = createInvoke({ ...connectionTo(url, keys), functionName: 'other@live' });
    await expect(other(checkIP('203.0.113.7'))).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });

  const key = nodeSigningKey(keys.adapterKey);
  const body = new TextEncoder().encode('{"ip":"203.0.113.7"}');

  /** The headers of one signed call. */
  async function signed(nowS: number): Promise<Readonly<Record<string, string>>> {
    const url = `${await running}/proto.IPFilter/CheckIP`;
    const message = { method: 'POST', url, headers: unsigned(vectors.request.headers), body };
    return Object.fromEntries(await signRequest(message, { key, crypto: nodeCrypto, nowS }));
  }

  /** Sends a call as it is; gives the status. */
  async function send(headers: Readonly<Record<string, string>>, content = body): Promise<number> {
    const url = `${await running}/proto.IPFilter/CheckIP`;
    const answer = await fetch(url, { method: 'POST', headers: { ...headers }, body: content });
    await answer.body?.cancel();
    return answer.status;
  }

  test('takes a request once, unchanged, and in its time', async () => {
    const nowS = Date.now() / 1000;
    const good = await signed(nowS);
    expect(await send({ ...good, 'plugin-instance': 'not covered' })).toBe(401);
    expect(await send(good, new TextEncoder().encode('{"ip":"203.0.113.8"}'))).toBe(401);
    expect(await send(good)).toBe(200);
    expect(await send(good)).toBe(401);
    expect(await send(await signed(nowS - 3600))).toBe(401);
    expect(await send(await signed(nowS + 3600))).toBe(401);
  });

  test('takes each of many requests once, however many come at once', async () => {
    const calls = await Promise.all(Array.from({ length: 200 }, () => signed(Date.now() / 1000)));
    const twice = await Promise.all(
      calls.map(async (call) => (await Promise.all([send(call), send(call)])).sort()),
    );
    expect(twice).toEqual(calls.map(() => [200, 401]));
    expect(await Promise.all(calls.map((call) => send(call)))).toEqual(calls.map(() => 401));
  });
});

describe(
  'skipped' in moto
    ? `Python (${moto.skipped.replace('needs moto', 'needs cryptography, as moto')})`
    : 'Python',
  () => {
    const run = async (script: string, ...args: readonly string[]) =>
      await promisify(execFile)(python, [join(import.meta.dirname, 'foreign', script), ...args], {
        env: { ...process.env, PYTHONPATH: examples, PYTHONDONTWRITEBYTECODE: '1' },
      });

    test.runIf('program' in moto)('agrees with the vectors', async () => {
      const { stdout } = await run('vectors.py', vectorsPath);
      expect(stdout).toBe(`${2 + vectors.refused.length + vectors.answers.length} checks\n`);
    });

    test.runIf('program' in moto)('takes a call once, whichever of its threads gets it', async () => {
      const { stdout } = await run('threads.py');
      expect(stdout).toBe('200 calls in 16 threads\n');
    });
  },
);
