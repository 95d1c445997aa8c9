import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const version = '5.2.5';
const cache = join(import.meta.dirname, '../../node_modules/.cache');
const installMs = 180_000;

/** Where moto's server is, or why it cannot be had: `skipped: needs …`, for the title of tests. */
export type Moto = { readonly program: string } | { readonly skipped: string };

/**
 * Finds moto (https://docs.getmoto.org), an implementation of AWS's services that is not ours: `MOTO_SERVER`, the
 * path of a moto_server, or else moto from PyPI, installed once under node_modules/.cache with the Python 3 that is
 * there. With CI=true it is an error when there is none.
 */
export async function findMoto(): Promise<Moto> {
  const given = process.env['MOTO_SERVER'];
  if (given) return { program: given };
  const home = join(cache, `moto-${version}`);
  const program = join(home, 'bin/moto_server');
  if (existsSync(program)) return { program };
  const run = async (file: string, args: readonly string[]) =>
    await promisify(execFile)(file, [...args], { timeout: installMs });
  try {
    await mkdir(cache, { recursive: true });
    await rm(home, { recursive: true, force: true });
    await run('python3', ['-m', 'venv', home]);
    await run(join(home, 'bin/pip'), ['install', '--quiet', `moto[server]==${version}`]);
    return { program };
  } catch (cause) {
    await rm(home, { recursive: true, force: true });
    const reason = 'needs moto: Python 3 with venv and PyPI, or MOTO_SERVER';
    if (process.env['CI'] === 'true') throw new Error(`These tests must run in CI: ${reason}`, { cause });
    return { skipped: `skipped: ${reason}` };
  }
}

/** moto's server on loopback. */
export interface MotoServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  close(): Promise<void>;
}

/** Starts moto and waits until it answers. */
export async function startMoto(program: string): Promise<MotoServer> {
  const port = await freePort();
  const child = spawn(program, ['--host', '127.0.0.1', '--port', String(port)], { stdio: 'ignore' });
  const exit = new Promise<void>((resolve) => {
    child.on('exit', () => resolve());
    child.on('error', () => resolve());
  });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 300 && child.exitCode === null; tries += 1) {
    const up = await fetch(`${url}/moto-api/data.json`).then(
      (response) => response.ok,
      () => false,
    );
    if (up) {
      return {
        url,
        async close() {
          child.kill();
          await exit;
        },
      };
    }
    await sleep(100);
  }
  child.kill('SIGKILL');
  throw new Error(`${program} does not answer`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
