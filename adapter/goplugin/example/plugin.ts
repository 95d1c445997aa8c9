import { KV } from '../../../proto/gen/goplugin/kv_pb.ts';
import { GrpcError, grpcStatus, HclogWriter, implement, serve } from '../index.ts';

/**
 * The key/value plugin of go-plugin's examples/grpc, in memory: `node plugin.ts`, started by host.ts, or by
 * HashiCorp's own example host with KV_PLUGIN set to this command.
 */
const log = new HclogWriter({ module: 'kv' });
const values = new Map<string, Uint8Array>();

const kv = implement(KV, {
  async get({ input }) {
    const value = values.get(input.key);
    if (value === undefined) throw new GrpcError(grpcStatus.notFound, `no value under ${input.key}`);
    return { value };
  },
  async put({ input }) {
    values.set(input.key, input.value);
    log.info('stored', { key: input.key, bytes: input.value.length });
    return {};
  },
});

try {
  const cookie = { name: 'BASIC_PLUGIN', value: 'hello' };
  await serve({ cookie, versions: [1], services: [kv], log, ownProcess: true });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
