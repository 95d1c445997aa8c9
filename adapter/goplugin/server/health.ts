import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { Server, ServerWritableStream } from '@grpc/grpc-js';
import {
  Health,
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../../proto/gen/goplugin/health_pb.ts';
import { GrpcError, grpcStatus } from '../grpc-error.ts';
import { methodPath } from '../method-path.ts';
import { type RegisterContext, registerUnary } from './register.ts';
import { implement } from './service.ts';

/** The service name that a host's Ping() asks for, and the empty one for the server as a whole. */
const known = new Set(['plugin', '']);

/** grpc.health.v1.Health of this plugin. https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
export class HealthService {
  #serving = true;
  readonly #watchers = new Set<() => void>();

  get serving(): boolean {
    return this.#serving;
  }

  /** What Check and Watch say from now on: SERVING or NOT_SERVING. */
  setServing(serving: boolean): void {
    if (serving === this.#serving) return;
    this.#serving = serving;
    for (const send of this.#watchers) send();
  }

  register(server: Server, context: RegisterContext): void {
    const { check, watch } = Health.method;
    const answers = implement(Health, {
      check: async ({ input }) => {
        if (!known.has(input.service)) throw new GrpcError(grpcStatus.notFound, 'unknown service');
        return { status: this.#status() };
      },
    });
    registerUnary(server, answers, check, context);
    server.register(
      methodPath(watch),
      (call: ServerWritableStream<string, HealthCheckResponse>) => this.#watch(call),
      (answer: HealthCheckResponse) => Buffer.from(toBinary(HealthCheckResponseSchema, answer)),
      (bytes: Buffer) => fromBinary(HealthCheckRequestSchema, bytes).service,
      'serverStream',
    );
  }

  #status(): ServingStatus {
    return this.#serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }

  /** An unknown name is told as SERVICE_UNKNOWN and the stream stays open, as the protocol demands. */
  #watch(call: ServerWritableStream<string, HealthCheckResponse>): void {
    const send = () => {
      const status = known.has(call.request) ? this.#status() : ServingStatus.SERVICE_UNKNOWN;
      call.write(create(HealthCheckResponseSchema, { status }));
    };
    this.#watchers.add(send);
    call.once('cancelled', () => this.#watchers.delete(send));
    send();
  }
}
