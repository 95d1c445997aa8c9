import { generateKeyPairSync, hash, randomBytes, sign, verify } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { HttpsClientSetup } from './https-client.ts';

/**
 * The parts of a remote call put together in one process, and nothing else: grpc-js takes the call, node:https asks the
 * echo, and the adapter's half of the cryptography runs over bytes that mean nothing. No adapter on these two libraries
 * can be quicker. Its argument: a file with {@link HttpsClientSetup}.
 */
const setup: HttpsClientSetup = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const base = randomBytes(900);
const body = randomBytes(64);
const signature = sign(null, base, privateKey);
const agent = new Agent({ keepAlive: true, maxSockets: 256, maxFreeSockets: 256, ca: setup.caPem });
const identity = (bytes: Buffer) => bytes;

function ask(call: unknown, answer: (error: Error | null, bytes: Buffer) => void): void {
  hash('sha256', body, 'buffer');
  sign(null, base, privateKey);
  const outgoing = request(setup.url, { method: 'POST', agent, headers: setup.headers }, (incoming) => {
    incoming.on('data', () => undefined);
    incoming.on('end', () => {
      hash('sha256', body, 'buffer');
      verify(null, base, publicKey, signature);
      answer(null, Buffer.alloc(0));
    });
  });
  outgoing.on('error', (error) => {
    // the server closed an idle connection just as it was used again
    if (outgoing.reusedSocket) ask(call, answer);
    else answer(error, Buffer.alloc(0));
  });
  outgoing.end(setup.body);
}

const server = new Server();
server.register('/proto.IPFilter/CheckIP', ask, identity, identity, 'unary');
const socket = join(mkdtempSync(join(tmpdir(), 'relay-')), 's');
server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), () => {
  process.stdout.write(`1|1|unix|${socket}|grpc|\n`);
});
