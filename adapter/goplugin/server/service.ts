import type {
  DescMessage,
  DescMethod,
  DescMethodUnary,
  DescService,
  Message,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';

/** One call of the host, decoded. */
export interface UnaryCall<I extends Message = Message> {
  readonly method: DescMethod;
  readonly input: I;
  /** What the host sent beside the message under this name, in lower case; a `-bin` value as base64. */
  metadata(name: string): string | undefined;
  /** Instant on the `performance.now()` scale by which the host wants its answer (grpc-timeout); undefined: any time. */
  readonly deadlineMs: number | undefined;
  /** Aborts when the host gave up on the call, or its connection closed. */
  readonly signal: AbortSignal;
  /** Sends a value after the message. Throws INPUT_INVALID unless it is printable ASCII under a lower-case name. */
  setTrailer(name: string, value: string): void;
}

/** A service of the plugin: all its methods are unary and go through one function. */
export interface ServiceImplementation {
  readonly service: DescService;
  /** The largest request of a method, in bytes; larger ones are RESOURCE_EXHAUSTED. Default 4 MiB, as gRPC's. */
  maxReceiveBytes?(method: DescMethod): number;
  /**
   * Answers one call with a message of `call.method.output`. A thrown `GrpcError` (or anything with a numeric
   * `grpcCode`) chooses the status; anything else is logged and becomes INTERNAL with a fixed text.
   */
  handle(call: UnaryCall): Promise<Message>;
}

type UnaryNames<S extends DescService> = {
  [M in keyof S['method']]: S['method'][M] extends DescMethodUnary ? M : never;
}[keyof S['method']];

/** One function per unary method of a service: takes the typed call, gives the answer or its fields. */
export type Handlers<S extends DescService> = {
  [M in UnaryNames<S>]: (
    call: UnaryCall<MessageShape<S['method'][M]['input']>>,
  ) => Promise<MessageInitShape<S['method'][M]['output']>>;
};

type Handler = (call: UnaryCall) => Promise<MessageInitShape<DescMessage>>;

/**
 * Writes a service as an object with a function per method, typed by its descriptor.
 *
 * ```ts
 * const health = implement(Health, { check: async ({ input }) => ({ status: Status.SERVING }) });
 * await serve({ services: [health], … });
 * ```
 */
export function implement<S extends DescService>(service: S, handlers: Handlers<S>): ServiceImplementation {
  const byName = new Map<string, unknown>(Object.entries(handlers));
  return {
    service,
    async handle(call) {
      const handler = byName.get(call.method.localName) as Handler | undefined;
      if (handler === undefined) throw new TypeError(`no handler for ${call.method.name}`);
      return create(call.method.output, await handler(call));
    },
  };
}
