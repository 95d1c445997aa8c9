import { afterAll, beforeAll, expect, test } from 'vitest';
import { PluginError } from '../../proto/error.ts';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { nodeCrypto, nodeVerifyingKey } from '../../proto/signature/node.ts';
import { NonceMemory } from '../../proto/signature/nonces.ts';
import { keyRing } from '../../proto/signature/port.ts';
import { verifyRequest } from '../../proto/signature/verify-request.ts';
import { type FunctionServer, newKeys, startFunction } from '../../test/support/function-server.ts';
import { callOf, connectionTo, recordingLog } from '../../test/support/invoke.ts';
import { publicOf } from '../../test/support/keys.ts';
import { createInvoke } from './index.ts';

const keys = newKeys();
let served: FunctionServer;
/** How far the function's clock is ahead of ours, in seconds. */
let aheadS = 0;

beforeAll(async () => {
  served = await startFunction(keys);
  served.intercept = async (request) => {
    const nowS = Date.now() / 1000 + aheadS;
    const adapters = keyRing([nodeVerifyingKey(publicOf(keys.adapterKey))]);
    const nonces = new NonceMemory({ maxEntries: 10 });
    try {
      const functionName = 'office@live';
      await verifyRequest(request, { keys: adapters, crypto: nodeCrypto, nowS, nonces, functionName });
      return await served.sign(request, {}, { nowS });
    } catch (error) {
      if (!(error instanceof PluginError && error.code === 'CLOCK_SKEW')) return 'reset';
      const body = '{"code":"failed_precondition","message":"the clocks differ too much"}';
      return await served.sign(
        request,
        { status: 400, headers: { 'plugin-refused': 'time' }, body },
        { nowS },
      );
    }
  };
});
afterAll(async () => await served.close());

const ask = () => callOf(IPFilter.method.checkIP, { ip: '198.51.100.7', protocol: 'SSH' });

test.each([100, -100, 299])(
  'a clock that is %i s off is taken over from the signed refusal, once',
  async (seconds) => {
    aheadS = seconds;
    const before = served.requests.length;
    const invoke = createInvoke(connectionTo(served.url, keys));
    await expect(invoke(ask())).rejects.toMatchObject({ code: 'CLOCK_SKEW' });
    await expect(invoke(ask())).resolves.toBeDefined();
    await expect(invoke(ask())).resolves.toBeDefined();
    expect(served.requests.length - before).toBe(3);
  },
);

test('when our clock is mended, the correction is taken back the same way', async () => {
  aheadS = 100;
  const invoke = createInvoke(connectionTo(served.url, keys));
  await expect(invoke(ask())).rejects.toMatchObject({ code: 'CLOCK_SKEW' });
  aheadS = 0;
  await expect(invoke(ask())).rejects.toMatchObject({ code: 'CLOCK_SKEW' });
  await expect(invoke(ask())).resolves.toBeDefined();
});

test.each([3600, -400])(
  'a clock that is %i s off is not followed: one of the two is broken',
  async (seconds) => {
    aheadS = seconds;
    const invoke = createInvoke(connectionTo(served.url, keys));
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(invoke(ask())).rejects.toMatchObject({
        code: 'CLOCK_SKEW',
        remedy: expect.stringContaining('Set both clocks'),
      });
    }
  },
);

test('a difference of more than 5 s is reported once a minute, and decides nothing', async () => {
  const log = recordingLog();
  aheadS = 12;
  const invoke = createInvoke(connectionTo(served.url, keys, { log }));
  await invoke(ask());
  await invoke(ask());
  expect(log.lines).toEqual([
    { level: 'warn', text: expect.stringMatching(/clocks.* function=office@live skew=1[123]s/) },
  ]);
});

test('a difference of 3 s is not worth a line', async () => {
  const log = recordingLog();
  aheadS = 3;
  await createInvoke(connectionTo(served.url, keys, { log }))(ask());
  expect(log.lines).toEqual([]);
});
