import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { PluginTypeName } from '../../proto/plugin-types.ts';

/** How an RPC ended: the gRPC status as the Go application saw it; `OK` is the verdict "allowed". */
export interface Outcome {
  readonly ip?: string;
  /** grpc-go's name of the code: `OK`, `PermissionDenied`, `FailedPrecondition`, … */
  readonly code: string;
  readonly message: string;
}

/** How a method of the SDK's client ended. */
export interface CallOutcome extends Outcome {
  /** What it returned beside the error, `[]byte` as base64; absent on error and where it returns nothing else. */
  readonly output?: readonly unknown[];
}

export interface BenchLoad {
  readonly ip?: string;
  /** Asked about one after the other, instead of `ip`. */
  readonly ips?: readonly string[];
  readonly protocol?: string;
  /** `ip` is a prefix such as `2001:db8::`, and each call asks about an address of its own. */
  readonly distinct?: boolean;
  /** Calls Decrypt of a kms instead. */
  readonly decrypt?: {
    readonly payload: string;
    readonly key: string;
    readonly additionalData: string;
    readonly mode: number;
    readonly url: string;
    readonly masterKey: string;
  };
  readonly calls: number;
  readonly parallel: number;
}

/** How long the calls took, as the Go application saw it, and how they ended. */
export interface Benched {
  readonly p50Micros: number;
  readonly p99Micros: number;
  readonly perSecond: number;
  readonly codes: Readonly<Record<string, number>>;
}

/** One record as it reached the host's logger. */
export interface LogLine {
  /** `plugins` for go-plugin itself, `plugins.<file name>` for what the plugin wrote. */
  readonly logger: string;
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, string>>;
}

export interface LaunchOptions {
  /** Absent: ipfilter. It decides the magic cookie and the client. */
  readonly type?: PluginTypeName;
  readonly cmd: string;
  readonly args: readonly string[];
  /** `NAME=value`: all that the plugin gets besides go-plugin's own variables. */
  readonly env: readonly string[];
  readonly autoMtls: boolean;
  /** Hexadecimal; absent = the file is not checked. */
  readonly sha256?: string;
}

export interface LaunchedPlugin {
  readonly pid: number;
  /** From spawn to the first usable connection, in ms. */
  readonly startMs: number;
  readonly network: string;
  /** Path of the socket. */
  readonly address: string;
  /** `protocol` as SFTPGo names it: SSH, FTP, DAV, HTTP. The old host does not pass it on. */
  checkIP(ip: string, protocol?: string): Promise<Outcome>;
  /** Asks about all addresses at the same moment; outcomes in the order of the addresses. */
  burst(ips: readonly string[], protocol?: string): Promise<readonly Outcome[]>;
  /** Makes the same call again and again: `calls` times by each of `parallel` callers. */
  bench(load: BenchLoad): Promise<Benched>;
  reload(): Promise<Outcome>;
  /**
   * Calls a method of the SDK's client by its Go name, with its parameters in order: bigint as int64, bytes as
   * `[]byte`, objects by Go's field names. Rejects where the SDK has no such method, parameter or field.
   */
  call(method: string, ...args: readonly unknown[]): Promise<CallOutcome>;
  /** The methods of the SDK's client: one for each RPC. */
  methods(): Promise<readonly string[]>;
  /** Status of the health service: `SERVING`, `NOT_SERVING`. */
  health(): Promise<string>;
  exited(): Promise<boolean>;
  /** Client.Kill. `forced`: the host lost patience and sent SIGKILL. */
  kill(): Promise<{ readonly killMs: number; readonly forced: boolean }>;
  logs(): Promise<readonly LogLine[]>;
}

/** Who logs in, from where, and with what; with `put`, that text is written to `path` and read back. */
export interface SftpLogin {
  readonly addr: string;
  /** The client's own address. */
  readonly from: string;
  readonly user: string;
  readonly password?: string;
  /** PEM; instead of a password. */
  readonly privateKey?: string;
  /** To the questions of a dialogue, in order; instead of a password. */
  readonly answers?: readonly string[];
  readonly path?: string;
  readonly put?: string;
}

/** How far a login got. */
export interface SftpOutcome {
  /** The last step that worked: `ssh` is the login, `file` what was written and read. */
  readonly reached: 'none' | 'tcp' | 'ssh' | 'sftp' | 'file';
  readonly message: string;
  /** The questions of a dialogue. */
  readonly asked?: readonly string[];
  /** What was read back. */
  readonly got?: string;
}

/** What Go read in one text: `json` is that, written again with the digits of every number, `error` why nothing. */
export interface GoReading {
  readonly json?: string;
  readonly error?: string;
}

/** A real go-plugin host in a process of its own. */
export interface GoHost {
  /**
   * Starts a plugin as SFTPGo does and waits for its handshake: kills the first process whose executable is `cmd`
   * before, so `cmd` must not be Node. Rejects with go-plugin's own text.
   */
  launch(options: LaunchOptions): Promise<LaunchedPlugin>;
  /** Versions of Go and of the modules the host was built from, by module path. */
  versions(): Promise<Readonly<Record<string, string>>>;
  /** Logs in to an SFTP server (only the new host); being turned away is an answer. */
  sftp(login: SftpLogin): Promise<SftpOutcome>;
  /** What Go's encoding/json reads in an answer of an auth plugin, as SFTPGo would (only the new host). */
  user(json: string | Uint8Array): Promise<Readonly<Record<string, unknown>>>;
  /**
   * What Go's encoding/json reads in each of many texts, as SFTPGo's user or as whatever it is (only the new host).
   */
  read(as: 'user' | 'any', texts: readonly Uint8Array[]): Promise<readonly GoReading[]>;
  /** SIGKILL, so that the host can clean nothing up. */
  killHard(): Promise<void>;
  /** Lets the host kill its plugins and end. */
  close(): Promise<void>;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** TypeScript does not know https://github.com/tc39/proposal-json-parse-with-source yet. */
const rawJson = JSON as unknown as { rawJSON(text: string): unknown };

/** A command as Go reads it: int64 keeps its digits, bytes are base64. */
function commandText(command: object): string {
  return JSON.stringify(command, (_, value: unknown) => {
    if (typeof value === 'bigint') return rawJson.rawJSON(String(value));
    return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
  });
}

/** Sends commands to a host's stdin and matches the answers of its stdout by id. */
function commandLine(child: ChildProcess): <T>(op: string, parts?: object) => Promise<T> {
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('the host was started without pipes');
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let lastId = 0;
  createInterface({ input: stdout }).on('line', (line) => {
    const answer: Answer = JSON.parse(line);
    const call = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.error === undefined) call?.resolve(answer.value);
    else call?.reject(new Error(answer.error));
  });
  // A host that was killed hard takes its answers with it.
  stdin.on('error', () => {});
  child.on('close', () => {
    for (const call of waiting.values()) call.reject(new Error('the host has ended'));
  });
  return async <T>(op: string, parts?: object) => {
    const call = Promise.withResolvers<unknown>();
    lastId += 1;
    waiting.set(lastId, call);
    stdin.write(`${commandText({ ...parts, id: lastId, op })}\n`);
    return (await call.promise) as T;
  };
}

/**
 * Starts a host that {@link buildHost} has built, with an empty environment.
 *
 * ```ts
 * const host = startHost(await buildHost('new'));
 * const plugin = await host.launch({ cmd, args: ['serve'], env: [], autoMtls: true });
 * expect((await plugin.checkIP('192.0.2.1', 'SSH')).code).toBe('OK');
 * await host.close();
 * ```
 */
export function startHost(binary: string): GoHost {
  const child = spawn(binary, [], { env: {}, stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const ask = commandLine(child);
  let launches = 0;
  return {
    async launch(options) {
      // as SFTPGo, the driver kills the first process whose executable is `cmd`: that could be anybody's
      if (options.cmd === process.execPath) throw new Error('launch a script, not Node itself');
      launches += 1;
      const name = `plugin-${launches}`;
      const started = await ask<Pick<LaunchedPlugin, 'pid' | 'startMs' | 'network' | 'address'>>('launch', {
        type: 'ipfilter',
        ...options,
        name,
      });
      const of = <T>(op: string, parts?: object) => ask<T>(op, { ...parts, name });
      return {
        ...started,
        checkIP: (ip, protocol) => of('checkIP', { ip, protocol }),
        burst: (ips, protocol) => of('burst', { ips, protocol }),
        bench: (load) => of('bench', load),
        reload: () => of('reload'),
        call: (method, ...args) => of('call', { method, args }),
        methods: () => of('methods'),
        health: () => of('health'),
        exited: () => of('exited'),
        kill: () => of('kill'),
        logs: () => of('logs'),
      };
    },
    versions: () => ask('versions'),
    sftp: (login) => ask('sftp', login),
    user: (json) => ask('user', { json: typeof json === 'string' ? new TextEncoder().encode(json) : json }),
    read: (as, texts) => ask('read', { as, texts }),
    async killHard() {
      child.kill('SIGKILL');
      await closed;
    },
    async close() {
      child.stdin?.end();
      await closed;
    },
  };
}
