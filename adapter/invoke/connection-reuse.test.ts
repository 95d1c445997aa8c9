import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { newKeys, startFunction } from '../../test/support/function-server.ts';
import { callOf, connectionTo } from '../../test/support/invoke.ts';
import { codeOf } from '../../test/support/policies.ts';
import { createInvoke } from './index.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function listen(server: Server): Promise<{ url: string; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  undo.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets };
}

test('an answer that does not fit closes its connection: the next call gets its own answer', async () => {
  const keys = newKeys();
  const { url, sockets } = await listen(
    createServer((request, response) => {
      request.resume();
      response.end('{}');
    }),
  );
  const connection = connectionTo(url, keys);
  undo.push(() => connection.target.close());
  const invoke = createInvoke(connection);
  const call = () => invoke(callOf(IPFilter.method.checkIP, { ip: '198.51.100.7', protocol: 'SSH' }));
  expect(await codeOf(call())).toBe('ANSWER_UNSIGNED');
  await expect.poll(() => [...sockets].every((socket) => socket.destroyed)).toBe(true);
  expect(await codeOf(call())).toBe('ANSWER_UNSIGNED');
  expect(sockets.size).toBe(2);
});

test('an answer that fits leaves its connection open, a signed no as well', async () => {
  const keys = newKeys();
  const served = await startFunction(keys);
  undo.push(() => served.close());
  const connection = connectionTo(served.url, keys);
  undo.push(() => connection.target.close());
  const invoke = createInvoke(connection);
  for (const ip of ['192.0.2.66', '198.51.100.7', '192.0.2.66']) {
    await codeOf(invoke(callOf(IPFilter.method.checkIP, { ip, protocol: 'SSH' })));
  }
  expect(served.connections).toBe(1);
});
