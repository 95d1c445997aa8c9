import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { PluginError } from '../../../proto/error.ts';
import { GRPCController } from '../../../proto/gen/goplugin/controller_pb.ts';
import { type CertificateOptions, createCertificate } from '../server/certificate.ts';
import type { MagicCookie } from '../server/cookie.ts';
import { within } from '../within.ts';
import { type CallOptions, type CallResult, Channel } from './channel.ts';
import { checkExecutable } from './checksum.ts';
import { pluginEnvironment } from './environment.ts';
import { parseHandshake } from './handshake.ts';
import { diagnose, type ExitStatus, type PluginProcess, startProcess } from './plugin-process.ts';
import { channelCredentials } from './secure-channel.ts';
import type { LogListener } from './stderr.ts';

export interface LaunchOptions {
  /** The executable. With `sha256` a path, because the file itself is hashed. */
  readonly cmd: string;
  readonly args?: readonly string[];
  /** The plugin's environment beside go-plugin's own variables. Nothing is inherited. Default: empty. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cookie: MagicCookie;
  /** The application protocol versions that the caller speaks. */
  readonly versions: readonly number[];
  /** Mutual TLS with certificates made for this one process. Default true. */
  readonly autoMtls?: boolean;
  /** Curve of the host's certificate. Default P-521, as go-plugin. */
  readonly curve?: CertificateOptions['curve'];
  /** go-plugin's SecureConfig: the SHA-256 of the file `cmd`, in hexadecimal. */
  readonly sha256?: string;
  /** From the start of the process to its handshake line. Default 1 minute. */
  readonly startTimeoutMs?: number;
  /** The plugin's log, and what the host itself has to say of it. */
  readonly onLog?: LogListener;
  /** Asks for broker multiplexing, which this host cannot do: for testing a plugin's answer. Default false. */
  readonly multiplex?: boolean;
}

/** A running plugin. */
export interface PluginClient {
  readonly pid: number;
  /** The negotiated application version. */
  readonly version: number;
  /** Has the process ended? */
  readonly exited: boolean;
  /** Resolves when it has. */
  readonly done: Promise<ExitStatus>;
  /** Where the plugin listens. */
  readonly address: string;
  /** Calls a unary method. Throws `GrpcError` for every status but OK. */
  call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    options?: CallOptions,
  ): Promise<CallResult<MessageShape<O>>>;
  /**
   * Ends the plugin as go-plugin's Kill does: asks it (Shutdown, with no deadline), closes the connection,
   * waits 2 s and then sends SIGKILL. Resolves when the process has ended; may be called twice.
   */
  kill(): Promise<ExitStatus>;
}

/** go-plugin's default. */
const defaultStartTimeoutMs = 60_000;

/** What go-plugin gives a plugin after its answer to Shutdown. */
const exitGraceMs = 2000;

/**
 * Starts a plugin and connects to it as go-plugin's client does, checks included.
 *
 * Throws CHECKSUM_MISMATCH (nothing was started), PLUGIN_EXITED (it did not start, or ended before its line)
 * and HANDSHAKE_INVALID (no line in time, a wrong one, or TLS that is not as announced); the process is killed
 * then.
 *
 * ```ts
 * const plugin = await launch({ cmd: './greeter', cookie: { name: 'GREETER', value: 'hello' }, versions: [1] });
 * const { output } = await plugin.call(Greeter.method.greet, { name: 'Ada' }, { timeoutMs: 1000 });
 * await plugin.kill();
 * ```
 */
export async function launch(options: LaunchOptions): Promise<PluginClient> {
  const { cmd, args = [], cookie, versions, autoMtls = true, multiplex = false } = options;
  const onLog = options.onLog ?? (() => undefined);
  if (options.sha256 !== undefined) await checkExecutable(cmd, options.sha256);
  const own = autoMtls
    ? createCertificate({ curve: options.curve ?? 'P-521', authority: true, backdateMs: 30_000 })
    : undefined;
  const env = pluginEnvironment(options.env ?? {}, {
    cookie,
    versions,
    clientCertificate: own?.certPem,
    multiplex,
  });
  const plugin = await startProcess(cmd, args, env, onLog);
  try {
    const line = await handshake(plugin, cmd, options.startTimeoutMs ?? defaultStartTimeoutMs);
    const address = parseHandshake(line, { versions, autoMtls, multiplex });
    const channel = new Channel(address, await channelCredentials(address, own));
    channel.openStreams(onLog);
    return openClient(plugin, channel, address, onLog);
  } catch (error) {
    plugin.kill();
    throw error;
  }
}

async function handshake(plugin: PluginProcess, cmd: string, timeoutMs: number): Promise<string> {
  const first = await within(timeoutMs, plugin.firstLine);
  if (first === undefined) {
    throw new PluginError('HANDSHAKE_INVALID', {
      happened: `the plugin printed nothing on stdout for ${timeoutMs} ms`,
      expected: 'its handshake line',
      remedy: "Look at the plugin's log for what it waits for.",
    });
  }
  if (first.value !== undefined) return first.value;
  const exit = await within(exitGraceMs, plugin.done);
  const how = exit ? `ended with ${exit.value.signal ?? `code ${exit.value.code}`}` : 'closed its stdout';
  throw new PluginError('PLUGIN_EXITED', {
    happened: `the plugin ${how} before its handshake line (${await diagnose(cmd)})`,
    expected: 'one line on stdout',
    remedy: 'Look at its log; run it by hand to see whether it starts at all.',
  });
}

function openClient(
  plugin: PluginProcess,
  channel: Channel,
  { version, address }: { version: number; address: string },
  onLog: LogListener,
): PluginClient {
  let killed: Promise<ExitStatus> | undefined;
  const kill = async () => {
    if (!plugin.exited) {
      // Whatever it answers, and also when it just ends: go-plugin ignores the result too.
      const asked = channel.call(GRPCController.method.shutdown, {}).catch(() => undefined);
      await Promise.race([asked, plugin.done]);
    }
    channel.close();
    if ((await within(exitGraceMs, plugin.done)) === undefined) {
      onLog('warn', 'plugin failed to exit gracefully', { pid: plugin.pid });
      plugin.kill();
    }
    return plugin.done;
  };
  return {
    pid: plugin.pid,
    version,
    address,
    done: plugin.done,
    get exited() {
      return plugin.exited;
    },
    call: (method, input, callOptions) => channel.call(method, input, callOptions),
    kill: () => {
      killed ??= kill();
      return killed;
    },
  };
}
