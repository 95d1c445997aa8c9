import { type DescMethod, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import { Metadata, type Server, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { PluginError } from '../../../proto/error.ts';
import { GrpcError, grpcStatus, hasGrpcCode } from '../grpc-error.ts';
import { methodPath } from '../method-path.ts';
import type { HclogWriter } from './hclog.ts';
import type { InFlight } from './in-flight.ts';
import type { ServiceImplementation, UnaryCall } from './service.ts';

/** gRPC's own default for a received message. */
export const defaultMaxReceiveBytes = 4_194_304;

/** A status text travels in a header: longer ones could exceed the peer's header limit. */
const maxStatusLength = 1024;

type BytesCall = ServerUnaryCall<Buffer, Buffer>;
type Answer = sendUnaryData<Buffer>;

/** The largest request that any method of these services may send, in bytes: the server's own limit. */
export function largestReceiveBytes(services: readonly ServiceImplementation[]): number {
  const caps = services.flatMap((implementation) =>
    implementation.service.methods.map((method) => capOf(implementation, method)),
  );
  return Math.max(defaultMaxReceiveBytes, ...caps);
}

/** What the calls of a server share. */
export interface RegisterContext {
  readonly log: HclogWriter;
  readonly inFlight: InFlight;
}

/**
 * Serves every method of a service by its descriptor.
 *
 * Throws INPUT_INVALID for a service with a streaming method.
 */
export function registerService(
  server: Server,
  implementation: ServiceImplementation,
  context: RegisterContext,
): void {
  for (const method of implementation.service.methods) {
    if (method.methodKind !== 'unary') {
      throw new PluginError('INPUT_INVALID', {
        happened: `${method.parent.typeName}.${method.name} is a ${method.methodKind} method`,
        expected: 'unary methods only',
        remedy: 'Serve a service without streams.',
      });
    }
    registerUnary(server, implementation, method, context);
  }
}

/**
 * Serves one method: bytes in, bytes out, so that the size of a request is judged by its method's own cap
 * before it is decoded.
 */
export function registerUnary(
  server: Server,
  implementation: ServiceImplementation,
  method: DescMethod,
  context: RegisterContext,
): void {
  const maxBytes = capOf(implementation, method);
  const handler = (call: BytesCall, answer: Answer) => {
    if (context.inFlight.closing) {
      answer({ code: grpcStatus.unavailable, details: 'the plugin is shutting down' });
      return;
    }
    if (call.request.length > maxBytes) {
      const details = `${method.name}: ${call.request.length} bytes received, ${maxBytes} allowed`;
      answer({ code: grpcStatus.resourceExhausted, details });
      return;
    }
    void respond(implementation, method, call, answer, context);
  };
  const same = (bytes: Buffer) => bytes;
  server.register(methodPath(method), handler, same, same, 'unary');
}

function capOf(implementation: ServiceImplementation, method: DescMethod): number {
  return implementation.maxReceiveBytes?.(method) ?? defaultMaxReceiveBytes;
}

async function respond(
  implementation: ServiceImplementation,
  method: DescMethod,
  call: BytesCall,
  answer: Answer,
  { inFlight, log }: RegisterContext,
): Promise<void> {
  const end = inFlight.begin();
  // few calls have any, and an empty one is written for each
  let trailers: Metadata | undefined;
  const setTrailer: UnaryCall['setTrailer'] = (name, value) => {
    trailers ??= new Metadata();
    addTrailer(trailers, name, value);
  };
  const abort = new AbortController();
  const onCancelled = () => abort.abort();
  call.once('cancelled', onCancelled);
  try {
    const input = decode(method, call.request);
    const message = await implementation.handle(openCall(method, input, call, setTrailer, abort.signal));
    const bytes = toBinary(method.output, message);
    // grpc-js says `cancelled` of every call that has ended; an answered one was not given up.
    call.off('cancelled', onCancelled);
    answer(null, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), trailers);
  } catch (error) {
    call.off('cancelled', onCancelled);
    answer(statusOf(error, method, log), null, trailers);
  } finally {
    end();
  }
}

/** What the host is told of a failure: only what the handler meant for it. */
function statusOf(error: unknown, method: DescMethod, log: HclogWriter): { code: number; details: string } {
  if (hasGrpcCode(error)) {
    return { code: error.grpcCode, details: error.message.slice(0, maxStatusLength).toWellFormed() };
  }
  log.error('a call failed for a reason that is not its own', { method: method.name, error });
  return { code: grpcStatus.internal, details: `${method.name} failed; the plugin's log has the reason` };
}

function openCall(
  method: DescMethod,
  input: Message,
  call: BytesCall,
  setTrailer: UnaryCall['setTrailer'],
  signal: AbortSignal,
): UnaryCall {
  const deadline = Number(call.getDeadline());
  return {
    method,
    input,
    metadata: (name) => firstValue(call.metadata, name),
    // grpc-js keeps the deadline on the wall clock; on the monotonic one a clock that is set moves nothing.
    deadlineMs: Number.isFinite(deadline) ? performance.now() + deadline - Date.now() : undefined,
    signal,
    setTrailer,
  };
}

function decode(method: DescMethod, request: Buffer): Message {
  // A plain view: bytes fields are cut out of it and would be Buffers otherwise.
  const bytes = new Uint8Array(request.buffer, request.byteOffset, request.byteLength);
  try {
    return fromBinary(method.input, bytes);
  } catch {
    throw new GrpcError(grpcStatus.internal, `${method.name}: the request is not a ${method.input.typeName}`);
  }
}

function firstValue(metadata: Metadata, name: string): string | undefined {
  const value = metadata.get(name)[0];
  return typeof value === 'string' || value === undefined ? value : value.toString('base64');
}

function addTrailer(trailers: Metadata, name: string, value: string): void {
  if (
    !/^[0-9a-z_.-]+$/.test(name) ||
    name.endsWith('-bin') ||
    name.startsWith('grpc-') ||
    !/^[ -~]*$/.test(value)
  ) {
    throw new PluginError('INPUT_INVALID', {
      happened: `the trailer ${JSON.stringify(name)} cannot be sent`,
      expected: "a lower-case name that is not gRPC's own, and printable ASCII",
      remedy: 'Encode the value, for example as base64.',
    });
  }
  trailers.set(name, value);
}
