import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';

/** The least that a go-plugin plugin on grpc-js is: one unary RPC on a unix socket, and its handshake line. */
const identity = (bytes: Buffer) => bytes;
const server = new Server();
server.addService(
  {
    CheckIP: {
      path: '/proto.IPFilter/CheckIP',
      requestStream: false,
      responseStream: false,
      requestSerialize: identity,
      requestDeserialize: identity,
      responseSerialize: identity,
      responseDeserialize: identity,
    },
  },
  {
    CheckIP: (_call: unknown, callback: (error: null, answer: Buffer) => void) =>
      callback(null, Buffer.alloc(0)),
  },
);
const socket = join(mkdtempSync(join(tmpdir(), 'bare-')), 's');
server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), () => {
  process.stdout.write(`1|1|unix|${socket}|grpc|\n`);
});
