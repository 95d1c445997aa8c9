import { createPrivateKey, createPublicKey } from 'node:crypto';
import { createServer } from 'node:http';
import { Code, ConnectError, createConnectRouter } from '@connectrpc/connect';
import { createFetchHandler } from '@connectrpc/connect/protocol';
import { getRequestListener } from '@hono/node-server';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { signedFetch } from './signed-fetch.ts';

/** An ipfilter function on the official Connect library: denies one address, allows the others for a minute. */
const { PLUGIN_FUNCTION = '', PLUGIN_CALLERS = '', PLUGIN_KEY = '', PUBLIC_URL, PORT = '0' } = process.env;

const router = createConnectRouter().service(IPFilter, {
  checkIP({ ip }, { responseHeader }) {
    const facts = { 'plugin-cache': 'max-age=60', 'plugin-reason': 'asked of Connect' };
    if (ip === '192.0.2.66') throw new ConnectError('banned', Code.PermissionDenied, facts);
    for (const [name, value] of Object.entries(facts)) responseHeader.set(name, value);
    return {};
  },
  reload: () => ({}),
});
const handlers = new Map(
  router.handlers.map((handler) => [handler.requestPath, createFetchHandler(handler)] as const),
);

const jwk: JWK = JSON.parse(PLUGIN_KEY);
const callers = new Map<string, ReturnType<typeof createPublicKey>>();
for (const caller of JSON.parse(PLUGIN_CALLERS).keys) {
  callers.set(await calculateJwkThumbprint(caller), createPublicKey({ key: caller, format: 'jwk' }));
}
const server = createServer();
server.listen(Number(PORT), '127.0.0.1', async () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const fetch = signedFetch(
    async (request) =>
      (await handlers.get(new URL(request.url).pathname)?.(request)) ?? new Response('{}', { status: 404 }),
    {
      functionName: PLUGIN_FUNCTION,
      buildId: '0'.repeat(64),
      publicUrl: PUBLIC_URL ?? `http://127.0.0.1:${port}`,
      keyid: await calculateJwkThumbprint({ ...jwk }),
      key: createPrivateKey({ key: { ...jwk }, format: 'jwk' }),
      callers,
    },
  );
  server.on('request', getRequestListener(fetch));
  process.stdout.write(`listening on ${port}\n`);
});
