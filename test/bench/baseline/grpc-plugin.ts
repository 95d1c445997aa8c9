import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';

/** The least that a go-plugin plugin on grpc-js is: a unary RPC of two types on a unix socket, and its handshake line. */
const identity = (bytes: Buffer) => bytes;
const server = new Server();
for (const [path, answer] of [
  ['/proto.IPFilter/CheckIP', Buffer.alloc(0)],
  // field 1, nine bytes
  ['/proto.KMS/Decrypt', Buffer.from('\x0a\x09my secret')],
] as const) {
  const handler = (_: unknown, callback: (error: null, answer: Buffer) => void) => callback(null, answer);
  server.register(path, handler, identity, identity, 'unary');
}
const socket = join(mkdtempSync(join(tmpdir(), 'bare-')), 's');
server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), () => {
  process.stdout.write(`1|1|unix|${socket}|grpc|\n`);
});
