import { parseArgs } from 'node:util';
import { PluginError } from '../../proto/error.ts';
import { type PluginType, type PluginTypeName, pluginTypes, traitsOf } from '../../proto/plugin-types.ts';
import { GrpcError } from '../goplugin/grpc-error.ts';
import { HclogWriter } from '../goplugin/server/hclog.ts';
import { serve as servePlugin, type UnaryCall } from '../goplugin/server/serve.ts';
import { hostError } from '../role/host-error.ts';
import type { Call, Trace } from '../shapes.ts';
import { callIds } from './call-ids.ts';
import { misreadsKeys } from './json-keys.ts';
import { logFailure } from './log-failure.ts';

/** Answers must be on the host's wire before its deadline: what encoding and a busy machine may take, in ms. */
const marginMs = 250;

/** Where the configuration is when neither `--config` nor the environment says. */
export const defaultConfigPath = '/etc/sftpgo/serverless.yaml';

type Environment = Readonly<Record<string, string | undefined>>;

/** The plugin type whose magic cookie is set; undefined when no host started this process. */
export function typeFromCookie(env: Environment): PluginTypeName | undefined {
  return (Object.keys(pluginTypes) as PluginTypeName[]).find((type) => {
    const [name, value] = pluginTypes[type].cookie;
    return env[name] === value;
  });
}

function configPathFrom(args: readonly string[], env: Environment): string {
  const { values } = parseArgs({
    args: [...args],
    options: { config: { type: 'string' } },
    allowPositionals: true,
  });
  return values.config ?? (env['SFTPGO_PLUGIN_SERVERLESS_CONFIG'] || defaultConfigPath);
}

/** Everything that need not be there before the handshake line: zod, yaml, jose, https. */
async function openRole(
  type: PluginTypeName,
  args: readonly string[],
  env: Environment,
  log: HclogWriter,
  {
    onServing,
    inFlight,
  }: { readonly onServing: (serving: boolean) => void; readonly inFlight: () => number },
) {
  const [{ Role }, { RoleFigures }] = await Promise.all([
    import('../role/role.ts'),
    import('../metrics/role-figures.ts'),
  ]);
  let configPath: string;
  try {
    configPath = configPathFrom(args, env);
  } catch (cause) {
    throw new PluginError('CONFIG_INVALID', {
      happened: `the arguments of the plugin are wrong (${cause instanceof Error ? cause.message : ''})`,
      expected: 'serve --config PATH',
      remedy: 'Correct `args` of this plugin in the configuration of SFTPGo.',
      cause,
    });
  }
  const figures = new RoleFigures(type, log);
  figures.metrics.gauge('in_flight', inFlight);
  const role = new Role({ type, configPath, log, onServing, figures });
  role.start();
  return {
    handle: (call: Call) => role.handle(call),
    count: figures.count.bind(figures),
    async close() {
      await role.close();
      await figures.close();
    },
  };
}

/**
 * `serve`: the plugin itself. Prints the handshake line with everything else still unread, so that a wrong
 * configuration never keeps SFTPGo from starting; each call then says what is wrong.
 */
export async function serve(type: PluginTypeName, args: readonly string[], env: Environment): Promise<void> {
  const log = new HclogWriter();
  const row: PluginType = pluginTypes[type];
  const role = Promise.withResolvers<Awaited<ReturnType<typeof openRole>>>();
  role.promise.catch((error: unknown) => {
    log.error(error instanceof Error ? error.message : 'the role cannot be opened', { type });
  });

  let inFlight = 0;
  const nextId = callIds();
  /** The role, once it is open. */
  let opened: Awaited<typeof role.promise> | undefined;

  async function handle(unary: UnaryCall) {
    const traits = traitsOf(row, unary.method);
    const id = nextId();
    const hostDeadlineMs = unary.deadlineMs ?? performance.now() + traits.deadlineMs;
    const trace: Trace = {};
    const startedMs = performance.now();
    const ended = (error?: unknown) => {
      inFlight -= 1;
      const ms = performance.now() - startedMs;
      opened?.count({ rpc: unary.method.name, ms, trace, error });
      if (unary.metadata('plugin-trace') !== undefined)
        unary.setTrailer('plugin-trace', JSON.stringify(trace));
    };
    inFlight += 1;
    try {
      opened ??= await role.promise;
      const reply = await opened.handle({
        method: unary.method,
        traits,
        input: unary.input,
        id,
        deadlineMs: hostDeadlineMs - marginMs,
        signal: unary.signal,
        trace,
      });
      ended();
      return reply.output;
    } catch (error) {
      ended(error);
      const sent = trace.callId ?? id;
      logFailure(log, type, { rpc: unary.method.name, call: sent }, { error, input: unary.input });
      const { grpcCode, message } = hostError(error, sent, traits);
      throw new GrpcError(grpcCode, message);
    }
  }

  const server = await servePlugin({
    cookie: { name: row.cookie[0], value: row.cookie[1] },
    versions: [1],
    services: [
      {
        service: row.service,
        maxReceiveBytes: (method) => traitsOf(row, method).maxInputBytes,
        handle,
      },
    ],
    log,
    env,
    ownProcess: true,
    onShutdown: async () => {
      await (await role.promise.catch(() => undefined))?.close();
    },
  });
  if (misreadsKeys()) {
    log.warn('this Node.js may misread names in JSON that hold a backslash or a quote', {
      node: process.version,
      remedy: 'use Node.js 24.22 or newer of 24, or 22, or 26',
    });
  }
  const tellServing = (serving: boolean) => server.setServing(serving);
  openRole(type, args, env, log, { onServing: tellServing, inFlight: () => inFlight }).then(
    role.resolve,
    (error) => {
      server.setServing(false);
      role.reject(error);
    },
  );
}
