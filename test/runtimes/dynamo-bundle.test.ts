import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCaller, toAnswer } from '../../functions/kit/fixtures/caller.ts';
import { eventsTable } from '../../functions/notifier/tables.ts';
import { buildFunction } from '../../infra/build/function.ts';
import { decodeBase64 } from '../../proto/base64.ts';
import { type Dynamo, startDynamo } from '../support/dynamo.ts';
import { parseEvents } from '../support/event-reference.ts';

const caller = createCaller();
let dynamo: Dynamo;
let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sftpgo-plugin-dynamo-test-'));
  dynamo = await startDynamo();
  await dynamo.create(eventsTable);
});
afterAll(async () => {
  await dynamo.close();
  rmSync(dir, { recursive: true });
});

/** Builds the example of a function and runs it with nothing but settings in its environment. */
async function startBundle(name: string) {
  await buildFunction({
    entry: join(import.meta.dirname, `../../functions/${name}/example.ts`),
    name,
    outDir: dir,
  });
  const { accessKeyId, secretAccessKey } = dynamo.client.credentials;
  const child = spawn(process.execPath, [join(dir, `${name}.node.mjs`)], {
    env: {
      ...caller.env,
      PORT: '0',
      AWS_REGION: dynamo.client.region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_ENDPOINT_URL_DYNAMODB: dynamo.url,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { url } = JSON.parse(line) as { url: string };
  return {
    async call(rpc: string, body: object): Promise<unknown> {
      const request = await caller.sign({ origin: url, rpc, body });
      const { headers } = request;
      const response = await fetch(request.url, {
        method: 'POST',
        headers: headers.map(([key, value]) => [key, value]),
        body: request.body as Uint8Array<ArrayBuffer>,
      });
      const answer = await toAnswer(response);
      await caller.verify(request, answer);
      expect(answer.status).toBe(200);
      return answer.json;
    },
    async close() {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

test('the built functions store and find an event, with region, credentials and endpoint from the environment', async () => {
  const store = await startBundle('notifier');
  const search = await startBundle('eventsearcher');
  const timestamp = BigInt(Date.now()) * 1_000_000n + 789n;
  expect(
    await store.call('proto.Notifier/SendFsEvent', { timestamp: `${timestamp}`, action: 'upload' }),
  ).toEqual({});
  const filter = { limit: 10, fsProvider: -1 };
  const { data } = (await search.call('proto.Searcher/SearchFsEvents', filter)) as { data: string };
  const found = parseEvents(new TextDecoder().decode(decodeBase64(data)));
  expect(found).toMatchObject([{ timestamp, action: 'upload' }]);
  await Promise.all([store.close(), search.close()]);
});
