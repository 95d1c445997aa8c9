import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { type ChannelCredentials, Client, Metadata } from '@grpc/grpc-js';
import { GRPCBroker } from '../../../proto/gen/goplugin/broker_pb.ts';
import { GRPCStdio } from '../../../proto/gen/goplugin/stdio_pb.ts';
import { GrpcError } from '../grpc-error.ts';
import { methodPath } from '../method-path.ts';
import type { PluginAddress } from './handshake.ts';
import type { LogListener } from './stderr.ts';

export interface CallOptions {
  /** Sent as grpc-timeout; without it the call has no deadline. */
  readonly timeoutMs?: number;
  /** Sent beside the message; lower-case names, printable ASCII. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Cancels the call. */
  readonly signal?: AbortSignal;
}

export interface CallResult<O> {
  readonly output: O;
  /** What the plugin sent after the message, gRPC's own fields left out. */
  readonly trailers: ReadonlyMap<string, string>;
}

const bytesOf = (bytes: Buffer) => bytes;

/** The one connection to a plugin. */
export class Channel {
  readonly #client: Client;

  constructor(plugin: PluginAddress, credentials: ChannelCredentials) {
    this.#client = new Client(targetOf(plugin), credentials, {
      // As grpc-go sends it: a socket path as :authority is refused by strict servers.
      'grpc.default_authority': plugin.certificate === undefined ? 'unused' : 'localhost',
      'grpc.ssl_target_name_override': 'localhost',
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_http_proxy': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.enable_channelz': 0,
    });
  }

  /** Opens the broker's and stdio's streams, as go-plugin's client does before anything else. */
  openStreams(onLog: LogListener): void {
    const broker = this.#client.makeBidiStreamRequest(
      methodPath(GRPCBroker.method.startStream),
      bytesOf,
      bytesOf,
    );
    const stdio = this.#client.makeServerStreamRequest(
      methodPath(GRPCStdio.method.streamStdio),
      bytesOf,
      bytesOf,
      Buffer.alloc(0),
    );
    for (const [name, stream] of Object.entries({ broker, stdio })) {
      stream.on('data', () => undefined);
      stream.on('error', () => undefined);
      stream.on('status', ({ code, details }: { code: number; details: string }) => {
        onLog('debug', 'a stream of the plugin has ended', { stream: name, code, details });
      });
    }
  }

  /** Throws {@link GrpcError} for every status but OK. */
  call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    options: CallOptions = {},
  ): Promise<CallResult<MessageShape<O>>> {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(options.metadata ?? {})) metadata.set(name, value);
    const request = toBinary(method.input, create(method.input, input));
    return new Promise((resolve, reject) => {
      const cancel = () => call.cancel();
      const settle = () => options.signal?.removeEventListener('abort', cancel);
      let answer: Buffer | undefined;
      const call = this.#client.makeUnaryRequest<Buffer, Buffer>(
        methodPath(method),
        bytesOf,
        bytesOf,
        Buffer.from(request.buffer, request.byteOffset, request.byteLength),
        metadata,
        options.timeoutMs === undefined ? {} : { deadline: Date.now() + options.timeoutMs },
        (error, value) => {
          settle();
          if (error) reject(new GrpcError(error.code, error.details, trailersOf(error.metadata)));
          else answer = value;
        },
      );
      // Trailers come with the status, after the callback.
      call.on('status', (status) => {
        if (answer === undefined) return;
        try {
          const output = fromBinary(method.output, new Uint8Array(answer));
          resolve({ output, trailers: trailersOf(status.metadata) });
        } catch (error) {
          reject(error);
        }
      });
      if (options.signal?.aborted) cancel();
      else options.signal?.addEventListener('abort', cancel, { once: true });
    });
  }

  /** Ends the connection and what is going on in it. */
  close(): void {
    this.#client.close();
  }
}

function targetOf({ network, address }: PluginAddress): string {
  if (network === 'unix') return `unix:${address}`;
  if (address.startsWith('[')) return `ipv6:${address}`;
  return /^[\d.]+:/.test(address) ? `ipv4:${address}` : `dns:${address}`;
}

function trailersOf(metadata: Metadata | undefined): ReadonlyMap<string, string> {
  const trailers = new Map<string, string>();
  for (const [name, value] of Object.entries(metadata?.getMap() ?? {})) {
    if (typeof value === 'string' && name !== 'content-type') trailers.set(name, value);
  }
  return trailers;
}
