import { join } from 'node:path';
import { build } from 'esbuild';
import { readPrivateKey } from '../../adapter/config/key-files.ts';
import { httpsTarget } from '../../adapter/targets/https/index.ts';
import { nodeCrypto, nodeSigningKey } from '../../proto/signature/node.ts';
import { signRequest } from '../../proto/signature/sign-request.ts';
import type { Deployment } from '../runtimes/deployment.ts';
import type { HttpsClientSetup } from './baseline/https-client.ts';

/** Beside the function, on the same socket: answers at once with what was last sent to `/echo-setup`. */
const echoing = (bundle: string) => `
import plugin from ${JSON.stringify(bundle)};
let answer = { headers: {}, body: '' };
export default {
  async fetch(request, env, context) {
    if (request.url.endsWith('/echo')) {
      await request.arrayBuffer();
      return new Response(answer.body, { headers: answer.headers });
    }
    if (request.url.endsWith('/echo-setup')) {
      answer = await request.json();
      return new Response();
    }
    return plugin.fetch(request, env, context);
  },
};`;

/** The deployment's Worker with a bare echo beside it. Returns the file of the module. */
export async function workerWithEcho({ bundle, folder }: Deployment): Promise<string> {
  const outfile = join(folder, 'with-echo.mjs');
  await build({
    stdin: { contents: echoing(bundle), resolveDir: folder },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    external: ['cloudflare:*', 'node:*'],
    logLevel: 'warning',
  });
  return outfile;
}

/**
 * Calls the function once, signed as the adapter does, and has the echo answer with as many bytes from then on. Returns
 * a request to the echo with as many bytes as that call.
 */
export async function prepareEcho(
  deployment: Deployment,
  workerd: { readonly url: string },
  input: object,
): Promise<HttpsClientSetup> {
  const { jwk } = await readPrivateKey(join(deployment.folder, 'adapter.key.json'));
  const body = JSON.stringify(input);
  const message = {
    method: 'POST',
    url: `${workerd.url}/proto.IPFilter/CheckIP`,
    headers: Object.entries({
      'content-type': 'application/json',
      'accept-encoding': 'identity',
      'cache-control': 'no-store, no-transform',
      'connect-protocol-version': '1',
      'connect-timeout-ms': '19750',
      'plugin-function': deployment.functionName,
      'plugin-call-id': '0'.repeat(32),
    }),
    body: new TextEncoder().encode(body),
  };
  const nowS = Date.now() / 1000;
  const headers = await signRequest(message, { key: nodeSigningKey(jwk), crypto: nodeCrypto, nowS });
  const caPem = deployment.tls.certPem;
  const target = httpsTarget(workerd.url, { caPem });
  const { signal } = new AbortController();
  const answer = await target.send({ ...message, headers }, '', signal);
  if (answer.status !== 200) throw new Error(`the function answered ${answer.status}`);
  const kept = answer.headers.filter(([name]) => !['content-length', 'date', 'connection'].includes(name));
  const setup = { headers: Object.fromEntries(kept), body: Buffer.from(answer.body).toString() };
  await target.send(
    {
      url: `${workerd.url}/echo-setup`,
      headers: [['content-type', 'application/json']],
      body: Buffer.from(JSON.stringify(setup)),
    },
    '',
    signal,
  );
  await target.close();
  return {
    url: `${workerd.url}/echo`,
    caPem,
    headers: { ...Object.fromEntries(headers), 'content-length': String(message.body.byteLength) },
    body,
  };
}
