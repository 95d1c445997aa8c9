import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable, type Writable } from 'node:stream';
import { PluginError } from '../../proto/error.ts';
import { workerdConfig } from './workerd-config.ts';

/** What workerd runs. */
export interface WorkerdOptions {
  /** The bundle: its path, or its bytes. */
  readonly module: string | Uint8Array;
  /** Text bindings. */
  readonly env?: Readonly<Record<string, string>>;
  /** Text bindings that are kept out of the configuration file: workerd reads them from its environment. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Bindings of any JSON: a variable of type JSON, or what a platform's binding shows as plain data. */
  readonly json?: Readonly<Record<string, unknown>>;
  /** Absent: a date that every workerd since the pinned one knows and that implies no Node compatibility. */
  readonly compatibilityDate?: string;
  readonly compatibilityFlags?: readonly string[];
  /** A request header that says `http` or `https`, where something in front of workerd ends TLS. */
  readonly protoHeader?: string;
  /** Durable Objects by binding: the exported class. They have SQLite, and end with this workerd. */
  readonly objects?: Readonly<Record<string, string>>;
  /** KV namespaces by binding: the port of a server of 127.0.0.1 that speaks KV's protocol. */
  readonly kv?: Readonly<Record<string, number>>;
  /** workerd's own TLS socket; absent: plain HTTP. */
  readonly tls?: { readonly certPem: string; readonly keyPem: string };
  /** Absent: any free one. */
  readonly port?: number;
  /** Host name in `url`; it must lead to 127.0.0.1. Absent: localhost. */
  readonly hostname?: string;
  /** Told what it and the function write, piece by piece. */
  readonly onOutput?: (text: string) => void;
}

/** A running workerd. */
export interface Workerd {
  /** `https://localhost:<port>`, without a trailing slash. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** The last 64 KiB of what it and the function wrote. */
  output(): string;
  /** SIGTERM; resolves when it has ended and its files are gone. */
  close(): Promise<void>;
  /** SIGKILL, as a machine that fails; resolves as {@link close}. */
  kill(): Promise<void>;
}

const startTimeoutMs = 20_000;

/**
 * Starts Cloudflare's runtime itself, without miniflare or wrangler, on a free port of 127.0.0.1. The function
 * can open no connection. It ends with this process, also when that is killed.
 *
 * @throws PluginError TOOL_MISSING without the npm package `workerd`; INPUT_INVALID, with workerd's own words,
 * when it does not start
 */
export async function startWorkerd(options: WorkerdOptions): Promise<Workerd> {
  const { module, env = {}, secrets = {}, tls, port: wantedPort = 0, hostname = 'localhost' } = options;
  const { json = {}, compatibilityDate, compatibilityFlags, protoHeader, objects = {}, kv = {} } = options;
  const folder = mkdtempSync(join(tmpdir(), 'sftpgo-plugin-workerd-'));
  const config = join(folder, 'config.capnp');
  writeFileSync(join(folder, 'worker.mjs'), typeof module === 'string' ? readFileSync(module) : module);
  mkdirSync(join(folder, 'objects'));
  const settings = { env, json, secrets: Object.keys(secrets), tls, port: wantedPort, objects, kv };
  writeFileSync(config, workerdConfig({ ...settings, compatibilityDate, compatibilityFlags, protoHeader }), {
    mode: 0o600,
  });
  // fd 3: workerd's reports; fd 4: ends when this process does, whatever ends it
  const watch = '( read -r _ <&4; kill -KILL $$ ) 3>&- >/dev/null 2>&1 & exec "$@" 4<&-';
  const child = spawn('/bin/sh', ['-c', watch, 'sh', workerdBinary(), 'serve', config, '--control-fd=3'], {
    cwd: folder,
    env: { ...secrets },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-65_536);
      options.onOutput?.(text);
    });
  }
  const ended = once(child, 'exit').then(() => {
    (child.stdio[4] as Writable | null)?.destroy();
    rmSync(folder, { recursive: true, force: true });
  });
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await ended;
  };
  const port = await listening(child.stdio[3], ended);
  if (port === undefined || child.pid === undefined) {
    await end('SIGKILL');
    throw new PluginError('INPUT_INVALID', {
      happened: `workerd did not start: ${output.trim().slice(0, 2000)}`,
      expected: 'a module that exports a Worker',
      remedy: 'Read its words above.',
    });
  }
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${hostname}:${port}`,
    port,
    pid: child.pid,
    output: () => output,
    close: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

/** The port, once workerd says it listens; undefined when it ends or is silent too long. */
async function listening(control: unknown, ended: Promise<void>): Promise<number | undefined> {
  if (!(control instanceof Readable)) return undefined;
  const timer = AbortSignal.timeout(startTimeoutMs);
  const lines = createInterface({ input: control, signal: timer });
  const said = (async () => {
    for await (const line of lines) {
      const { event, port } = JSON.parse(line) as { event?: string; port?: number };
      if (event === 'listen') return port;
    }
    return undefined;
  })();
  return await Promise.race([said, ended.then(() => undefined)]);
}

/** Of the platform's package, which `workerd` depends on: its own bin may be a wrapper in JavaScript. */
function workerdBinary(): string {
  const cpu = process.arch === 'x64' ? '64' : process.arch;
  try {
    const nearWorkerd = createRequire(createRequire(import.meta.url).resolve('workerd/package.json'));
    return nearWorkerd.resolve(`@cloudflare/workerd-${process.platform}-${cpu}/bin/workerd`);
  } catch (cause) {
    throw new PluginError('TOOL_MISSING', {
      happened: `there is no workerd for ${process.platform}-${process.arch}`,
      expected: 'the npm package workerd with its binary',
      remedy: 'Run npm install without --omit=optional, on Linux or macOS.',
      cause,
    });
  }
}
