import {
  Client,
  credentials,
  type handleUnaryCall,
  Metadata,
  type Server,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { memoryLog, openPair } from '../../../adapter/goplugin/fixture/pair.ts';
import { GrpcError } from '../../../adapter/goplugin/grpc-error.ts';
import { methodPath } from '../../../adapter/goplugin/method-path.ts';
import { InFlight } from '../../../adapter/goplugin/server/in-flight.ts';
import { registerService } from '../../../adapter/goplugin/server/register.ts';
import { createInvoke } from '../../../adapter/invoke/index.ts';
import { compose } from '../../../adapter/policies/compose.ts';
import { hostError } from '../../../adapter/role/host-error.ts';
import type { Policy } from '../../../adapter/shapes.ts';
import { type PluginType, type PluginTypeName, pluginTypes, traitsOf } from '../../../proto/plugin-types.ts';
import { newKeys } from '../../support/function-server.ts';
import { connectionTo } from '../../support/invoke.ts';
import { cheapKey, cheapRing } from '../rpcs/cheap-keys.ts';
import type { RpcInput } from '../rpcs/rpcs.ts';
import { type NearFunction, nearFunction } from './function.ts';

/** An adapter for several types, as `serve` makes one for one, and a host that sends it bytes. */
export interface FuzzedAdapter {
  readonly functions: Readonly<Partial<Record<PluginTypeName, NearFunction>>>;
  /** By a socket, as a host does; or straight to what gRPC would hand the bytes to, at half the cost. */
  send(rpc: RpcInput, bytes: Uint8Array, by: 'socket' | 'hand'): Promise<number>;
  close(): void;
}

/** One type to serve: its policies, and another function than the one that lets nobody in. */
export interface Served {
  readonly type: PluginTypeName;
  readonly policies: readonly Policy[];
  readonly plugin?: Parameters<typeof nearFunction>[2];
}

/** Serves on a socket. */
export async function startFuzzedAdapter(served: readonly Served[]): Promise<FuzzedAdapter> {
  const keys = { adapter: cheapKey('adapter'), own: cheapKey('function') };
  const functions = Object.fromEntries(
    served.map(({ type, plugin }) => [type, nearFunction(type, keys, plugin)] as const),
  );
  let asked = 0;
  const services = served.map(({ type, policies }) => {
    const row: PluginType = pluginTypes[type];
    const target = functions[type];
    if (target === undefined) throw new Error(`no function of ${type}`);
    const connection = {
      ...connectionTo(target.origin(''), newKeys(), { target }),
      signingKey: keys.adapter.signing,
      keys: cheapRing(keys.own),
    };
    const handler = compose(policies, createInvoke(connection));
    return {
      service: row.service,
      maxReceiveBytes: (method: RpcInput['method']) => traitsOf(row, method).maxInputBytes,
      async handle({
        method,
        input,
        signal,
      }: Pick<Parameters<typeof handler>[0], 'method' | 'input' | 'signal'>) {
        const traits = traitsOf(row, method);
        asked += 1;
        const id = asked.toString(16).padStart(32, '0');
        const deadlineMs = performance.now() + 60_000;
        try {
          return (await handler({ method, traits, input, id, deadlineMs, signal })).output;
        } catch (error) {
          const { grpcCode, message } = hostError(error, id, traits);
          throw new GrpcError(grpcCode, message);
        }
      },
    };
  });
  const pair = await openPair({ services });
  const client = new Client(`unix:${pair.server.address}`, credentials.createInsecure());
  const byHand = handlersOf(services);
  const same = (buffer: Buffer) => buffer;
  return {
    functions,
    send: ({ type, method }, given, by) =>
      new Promise((resolve) => {
        functions[type]?.forget();
        const path = methodPath(method);
        const bytes = Buffer.from(given);
        const answered = (error: Pick<ServiceError, 'code'> | null) =>
          resolve(error === null ? status.OK : error.code);
        if (by === 'socket') client.makeUnaryRequest(path, same, same, bytes, answered);
        else
          byHand.get(path)?.(callWith(bytes), (error) =>
            answered(error === null ? null : { code: error.code ?? status.OK }),
          );
      }),
    close() {
      client.close();
      pair.close();
    },
  };
}

type Handle = handleUnaryCall<Buffer, Buffer>;

/** What a gRPC server is given to call, by path. */
function handlersOf(services: Parameters<typeof registerService>[1][]): ReadonlyMap<string, Handle> {
  const handlers = new Map<string, Handle>();
  const server = {
    register: (path: string, handle: Handle) => handlers.set(path, handle),
  } as unknown as Server;
  const { log } = memoryLog();
  for (const service of services) registerService(server, service, { log, inFlight: new InFlight() });
  return handlers;
}

/** A call as grpc-js hands it over: without a deadline, and never given up. */
function callWith(request: Buffer): Parameters<Handle>[0] {
  const call = {
    request,
    metadata: new Metadata(),
    getDeadline: () => Number.POSITIVE_INFINITY,
    once() {},
    off() {},
  };
  return call as unknown as Parameters<Handle>[0];
}
