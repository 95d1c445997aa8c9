import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasSystemNode } from '../../adapter/cli/find-node.ts';
import { GrpcError } from '../../adapter/goplugin/grpc-error.ts';
import { launch } from '../../adapter/goplugin/host/launch.ts';
import type { Trace } from '../../adapter/shapes.ts';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { pluginTypes } from '../../proto/plugin-types.ts';
import type { LatencySplit } from './row.ts';

/** The built executable. */
export const executable = join(import.meta.dirname, '../../dist/sftpgo-plugin-serverless');

/** What came of one call: a gRPC status (0 = OK), our error code from its text, the trace and the time. */
export interface CallOutcome {
  readonly grpcCode: number;
  readonly errorCode: string | undefined;
  readonly trace: Trace;
  readonly latencyMs: LatencySplit;
}

/** A running adapter, started as SFTPGo starts it. */
export interface AdapterHost {
  checkIP(ip: string, protocol: string): Promise<CallOutcome>;
  reload(): Promise<CallOutcome>;
  kill(): Promise<void>;
}

/**
 * Starts the executable with the magic cookie, AutoMTLS, the checksum of the file, and an environment that is empty
 * but for SFTPGO_PLUGIN_SERVERLESS_NODE where no Node ≥ 22 is in the two folders that the executable searches.
 */
export async function startAdapter(configPath: string, log: (line: string) => void): Promise<AdapterHost> {
  const [name, value] = pluginTypes.ipfilter.cookie;
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
  const timed = async (
    call: () => Promise<{ trailers: ReadonlyMap<string, string> }>,
  ): Promise<CallOutcome> => {
    const started = performance.now();
    const outcome = await call().catch((error: unknown) => {
      if (error instanceof GrpcError) return error;
      throw error;
    });
    const total = performance.now() - started;
    const trace: Trace = JSON.parse(outcome.trailers.get('plugin-trace') ?? '{}');
    const { signMs = 0, networkMs = 0, functionMs = 0, verifyMs = 0 } = trace;
    return {
      grpcCode: outcome instanceof GrpcError ? outcome.grpcCode : 0,
      errorCode: outcome instanceof GrpcError ? /\(([A-Z_]+), call/.exec(outcome.message)?.[1] : undefined,
      trace,
      latencyMs: {
        total,
        host: total - signMs - networkMs - functionMs - verifyMs,
        sign: signMs,
        network: networkMs,
        function: functionMs,
        verify: verifyMs,
      },
    };
  };
  const options = { timeoutMs: 20_000, metadata: { 'plugin-trace': '1' } };
  return {
    checkIP: (ip, protocol) => timed(() => plugin.call(IPFilter.method.checkIP, { ip, protocol }, options)),
    reload: () => timed(() => plugin.call(IPFilter.method.reload, {}, options)),
    async kill() {
      await plugin.kill();
    },
  };
}
