import type { Server, ServerDuplexStream, ServerWritableStream } from '@grpc/grpc-js';
import { GRPCBroker } from '../../../proto/gen/goplugin/broker_pb.ts';
import { GRPCStdio } from '../../../proto/gen/goplugin/stdio_pb.ts';
import { methodPath } from '../method-path.ts';

const bytes = (message: Buffer) => message;

/**
 * The two streams that a host opens at once and keeps: GRPCBroker.StartStream and GRPCStdio.StreamStdio. They
 * are held open and nothing is sent. Ended early they would leave the host's connection without a stream, and
 * it would close it after 30 idle minutes; not served at all, each start would write a warning in its log.
 */
export function registerSilentStreams(server: Server): void {
  server.register(
    methodPath(GRPCBroker.method.startStream),
    (call: ServerDuplexStream<Buffer, Buffer>) => {
      call.on('error', () => call.end());
      // Read on, so that the end of the host's half is seen; brokered connections are not offered.
      call.on('data', () => undefined);
      call.on('end', () => call.end());
    },
    bytes,
    bytes,
    'bidi',
  );
  server.register(
    methodPath(GRPCStdio.method.streamStdio),
    (call: ServerWritableStream<Buffer, Buffer>) => {
      call.on('error', () => call.end());
    },
    bytes,
    bytes,
    'serverStream',
  );
}
