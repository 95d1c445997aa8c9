import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DescMethod, DescMethodUnary, Message } from '@bufbuild/protobuf';
import { hasSystemNode } from '../../adapter/cli/find-node.ts';
import { GrpcError } from '../../adapter/goplugin/grpc-error.ts';
import { launch } from '../../adapter/goplugin/host/launch.ts';
import type { Trace } from '../../adapter/shapes.ts';
import { type PluginTypeName, pluginTypes } from '../../proto/plugin-types.ts';
import type { LatencySplit } from './row.ts';

/** The built executable. */
export const executable = join(import.meta.dirname, '../../dist/sftpgo-plugin-serverless');

/** What came of one call: a gRPC status (0 = OK), our error code from its text, the trace and the time. */
export interface CallOutcome {
  readonly grpcCode: number;
  readonly errorCode: string | undefined;
  readonly trace: Trace;
  readonly latencyMs: LatencySplit;
  /** The answer; undefined for every status but OK. */
  readonly output: Message | undefined;
}

/** A running adapter, started as SFTPGo starts it. */
export interface AdapterHost {
  /** Calls an RPC of its type by its name in the .proto file, with the fields of the request. */
  call(rpc: string, fields?: Readonly<Record<string, unknown>>): Promise<CallOutcome>;
  kill(): Promise<void>;
}

/**
 * Starts the executable with the magic cookie, AutoMTLS, the checksum of the file, and an environment that is empty
 * but for SFTPGO_PLUGIN_SERVERLESS_NODE where no Node ≥ 22 is in the two folders that the executable searches.
 */
export async function startAdapter(
  type: PluginTypeName,
  configPath: string,
  log: (line: string) => void,
): Promise<AdapterHost> {
  const { cookie, service } = pluginTypes[type];
  const [name, value] = cookie;
  const plugin = await launch({
    cmd: executable,
    args: ['serve', '--config', configPath],
    env: (await hasSystemNode()) ? {} : { SFTPGO_PLUGIN_SERVERLESS_NODE: process.execPath },
    cookie: { name, value },
    versions: [1],
    autoMtls: true,
    sha256: createHash('sha256')
      .update(await readFile(executable))
      .digest('hex'),
    onLog: (level, message) => log(`[${level}] ${message}`),
  });
  return {
    async call(rpc, fields = {}) {
      const method = service.methods.find((candidate) => candidate.name === rpc);
      if (method === undefined || !isUnary(method)) throw new Error(`${type} has no RPC ${rpc}`);
      const started = performance.now();
      const options = { timeoutMs: 20_000, metadata: { 'plugin-trace': '1' } };
      const outcome = await plugin.call(method, fields, options).catch((error: unknown) => {
        if (error instanceof GrpcError) return error;
        throw error;
      });
      const total = performance.now() - started;
      const trace: Trace = JSON.parse(outcome.trailers.get('plugin-trace') ?? '{}');
      const { signMs = 0, networkMs = 0, functionMs = 0, verifyMs = 0 } = trace;
      const host = total - signMs - networkMs - functionMs - verifyMs;
      const failed = outcome instanceof GrpcError;
      return {
        grpcCode: failed ? outcome.grpcCode : 0,
        errorCode: failed ? /\(([A-Z_]+), call/.exec(outcome.message)?.[1] : undefined,
        output: failed ? undefined : outcome.output,
        trace,
        latencyMs: { total, host, sign: signMs, network: networkMs, function: functionMs, verify: verifyMs },
      };
    },
    async kill() {
      await plugin.kill();
    },
  };
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === 'unary';
}
