import { statSync } from 'node:fs';
import { connect as tcpConnect } from 'node:net';
import { dirname } from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, credentials } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { GRPCController } from '../../../proto/gen/goplugin/controller_pb.ts';
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Status,
} from '../../../proto/gen/goplugin/health_pb.ts';
import { KV } from '../../../proto/gen/goplugin/kv_pb.ts';
import { memoryLog, openPair, type Pair, type PairOptions } from '../fixture/pair.ts';
import { GrpcError, grpcStatus } from '../grpc-error.ts';
import { createCertificate } from './certificate.ts';
import { serve } from './serve.ts';
import { implement, type UnaryCall } from './service.ts';

const open: Pair[] = [];

async function pair(options?: PairOptions): Promise<Pair> {
  const opened = await openPair(options);
  open.push(opened);
  return opened;
}

afterEach(() => {
  for (const opened of open.splice(0)) opened.close();
});

/** A KV service whose `get` is the test's. */
const kv = (get: (call: UnaryCall) => Promise<{ value?: Uint8Array }>, maxBytes = 1000) => ({
  ...implement(KV, { get, put: async () => ({}) }),
  maxReceiveBytes: (method: { name: string }) => (method.name === 'Get' ? 100 : maxBytes),
});

test.each([false, true])(
  'a call and its answer, metadata and trailers, with AutoMTLS %s',
  async (autoMtls) => {
    const { channel, server } = await pair({
      autoMtls,
      services: [
        kv(async (call) => {
          call.setTrailer('plugin-trace', String(call.metadata('asked')));
          return { value: Buffer.from(call.method.name) };
        }),
      ],
    });
    expect(server.mutualTls).toBe(autoMtls);
    const { output, trailers } = await channel.call(
      KV.method.get,
      { key: 'k' },
      { metadata: { asked: 'yes' } },
    );
    expect(Buffer.from(output.value).toString()).toBe('Get');
    expect(trailers.get('plugin-trace')).toBe('yes');
  },
);

test.each([
  ['another certificate', createCertificate()],
  ['none that is valid now', createCertificate({ backdateMs: 7_200_000, lifetimeMs: -3_600_000 })],
])('with AutoMTLS a client with %s gets no answer', async (_, presents) => {
  const { channel } = await pair({ autoMtls: true, presents, services: [kv(async () => ({}))] });
  const call = channel.call(KV.method.get, { key: 'k' }, { timeoutMs: 5000 });
  await expect(call).rejects.toMatchObject({ grpcCode: grpcStatus.unavailable });
});

test('a PLUGIN_CLIENT_CERT that is no certificate is refused before anything is printed', async () => {
  const garbage = [
    'x',
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    createCertificate().keyPem,
  ];
  for (const text of garbage) {
    let printed = '';
    const started = serve({
      cookie: { name: 'C', value: 'v' },
      versions: [1],
      services: [],
      log: memoryLog().log,
      env: { C: 'v', PLUGIN_CLIENT_CERT: text },
      announce: (line) => {
        printed += line;
      },
    });
    await expect(started).rejects.toMatchObject({ code: 'HOST_REFUSED' });
    expect(printed).toBe('');
  }
});

test('without a host nothing starts', async () => {
  const started = serve({
    cookie: { name: 'C', value: 'v' },
    versions: [1],
    services: [],
    log: memoryLog().log,
    env: {},
  });
  await expect(started).rejects.toMatchObject({ code: 'HOST_REFUSED' });
});

test('a handler chooses the status; any other failure has a fixed text and an ERROR line', async () => {
  const failures: Record<string, unknown> = {
    own: new GrpcError(7, 'not you: é\n100%'),
    duck: Object.assign(new Error('later'), { grpcCode: 14 }),
    wrong: Object.assign(new Error('secret'), { grpcCode: 99 }),
    plain: new Error('secret'),
    text: 'secret',
  };
  const { channel, log } = await pair({
    services: [
      kv(async (call) => {
        throw failures[(call.input as unknown as { key: string }).key];
      }),
    ],
  });
  const get = (key: string) => channel.call(KV.method.get, { key });
  await expect(get('own')).rejects.toMatchObject({ grpcCode: 7, message: 'not you: é\n100%' });
  await expect(get('duck')).rejects.toMatchObject({ grpcCode: 14, message: 'later' });
  for (const key of ['wrong', 'plain', 'text']) {
    const fixed = { grpcCode: 13, message: "Get failed; the plugin's log has the reason" };
    await expect(get(key)).rejects.toMatchObject(fixed);
  }
  expect(log.filter((line) => line['@level'] === 'error')).toHaveLength(3);
});

test('each method has its own cap for requests', async () => {
  const { channel } = await pair({ services: [kv(async () => ({}), 6_000_000)] });
  const put = (bytes: number) => channel.call(KV.method.put, { key: 'k', value: new Uint8Array(bytes) });
  await put(5_500_000);
  await expect(put(6_000_001)).rejects.toMatchObject({ grpcCode: grpcStatus.resourceExhausted });
  await channel.call(KV.method.get, { key: 'k'.repeat(90) });
  const large = channel.call(KV.method.get, { key: 'k'.repeat(101) });
  await expect(large).rejects.toMatchObject({
    grpcCode: grpcStatus.resourceExhausted,
    message: /103 bytes.*100/,
  });
});

test('bytes fields are plain Uint8Arrays', async () => {
  let seen: unknown;
  const service = implement(KV, {
    get: async () => ({}),
    put: async ({ input }) => {
      seen = input.value;
      return {};
    },
  });
  const { channel } = await pair({ services: [service] });
  await channel.call(KV.method.put, { key: 'k', value: Uint8Array.of(1, 2) });
  expect(seen).toStrictEqual(Uint8Array.of(1, 2));
});

test('the deadline of the host reaches the handler, and no deadline is none', async () => {
  const seen: (number | undefined)[] = [];
  const { channel } = await pair({
    services: [
      kv(async (call) => {
        seen.push(call.deadlineMs === undefined ? undefined : call.deadlineMs - performance.now());
        return {};
      }),
    ],
  });
  await channel.call(KV.method.get, { key: '' }, { timeoutMs: 20_000 });
  await channel.call(KV.method.get, { key: '' });
  expect(seen[0]).toBeGreaterThan(10_000);
  expect(seen[0]).toBeLessThanOrEqual(20_050);
  expect(seen[1]).toBeUndefined();
});

test('the signal aborts when the host gives up, and only then', async () => {
  const signals: AbortSignal[] = [];
  const { channel } = await pair({
    services: [
      kv(async ({ signal, input }) => {
        signals.push(signal);
        const waits = (input as unknown as { key: string }).key === 'wait';
        if (waits) await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return {};
      }),
    ],
  });
  await channel.call(KV.method.get, { key: 'quick' });
  expect(signals[0]?.aborted).toBe(false);
  const cancel = new AbortController();
  const call = channel.call(KV.method.get, { key: 'wait' }, { signal: cancel.signal });
  await expect.poll(() => signals.length).toBe(2);
  cancel.abort();
  await expect(call).rejects.toMatchObject({ grpcCode: grpcStatus.cancelled });
  await expect.poll(() => signals[1]?.aborted).toBe(true);
});

test.each([
  ['Upper', 'x'],
  ['grpc-status', '0'],
  ['data-bin', 'x'],
  ['name', 'é'],
  ['name', 'a\nb'],
])('a trailer %j: %j is refused', async (name, value) => {
  const { channel, log } = await pair({
    services: [
      kv(async (call) => {
        call.setTrailer(name, value);
        return {};
      }),
    ],
  });
  await expect(channel.call(KV.method.get, { key: 'k' })).rejects.toMatchObject({
    grpcCode: grpcStatus.internal,
  });
  expect(log.find((line) => line['@level'] === 'error')?.['error']).toContain('cannot be sent');
});

test('health: SERVING for "plugin" and the whole server, NOT_FOUND for the rest', async () => {
  const { channel, server } = await pair();
  const check = async (service: string) =>
    (await channel.call(Health.method.check, { service })).output.status;
  expect(await check('plugin')).toBe(Status.SERVING);
  expect(await check('')).toBe(Status.SERVING);
  await expect(check('other')).rejects.toMatchObject({ grpcCode: grpcStatus.notFound });
  server.setServing(false);
  expect(await check('plugin')).toBe(Status.NOT_SERVING);
});

test('health: a watcher hears of each change, and of a name that is not there', async () => {
  const { server } = await pair();
  const client = new Client(`unix:${server.address}`, credentials.createInsecure());
  const heard: unknown[] = [];
  const watch = (service: string) =>
    client
      .makeServerStreamRequest(
        '/grpc.health.v1.Health/Watch',
        (name: string) =>
          Buffer.from(
            toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service: name })),
          ),
        (bytes) => fromBinary(HealthCheckResponseSchema, bytes).status,
        service,
      )
      .on('data', (status) => heard.push(status))
      .on('error', () => undefined);
  watch('plugin');
  await expect.poll(() => heard).toEqual([Status.SERVING]);
  server.setServing(false);
  server.setServing(false);
  server.setServing(true);
  await expect.poll(() => heard).toEqual([Status.SERVING, Status.NOT_SERVING, Status.SERVING]);
  watch('other');
  await expect.poll(() => heard.at(-1)).toBe(Status.SERVICE_UNKNOWN);
  client.close();
});

test('the streams of broker and stdio stay open in silence', async () => {
  const { channel } = await pair();
  const said: string[] = [];
  channel.openStreams((_, message) => said.push(message));
  await channel.call(Health.method.check, { service: 'plugin' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(said).toEqual([]);
});

test('Shutdown waits for what must be stored and for calls in flight, lets no new one in, and ends', async () => {
  const order: string[] = [];
  const release = Promise.withResolvers<void>();
  const { channel, server, log } = await pair({
    services: [
      kv(async () => {
        order.push('call');
        await release.promise;
        order.push('answer');
        return {};
      }),
    ],
    onShutdown: async () => {
      order.push('flush');
    },
  });
  const address = server.address;
  const inFlight = channel.call(KV.method.get, { key: 'k' });
  await expect.poll(() => order).toEqual(['call']);
  const shutdown = channel.call(GRPCController.method.shutdown, {});
  await expect.poll(() => log.some((line) => line['@message'] === 'the host asked for the end')).toBe(true);
  const late = channel.call(KV.method.get, { key: 'k' });
  await expect(late).rejects.toMatchObject({ grpcCode: grpcStatus.unavailable });
  release.resolve();
  await shutdown;
  await inFlight;
  expect(order).toEqual(['call', 'answer', 'flush']);
  channel.close();
  expect(await server.done).toBe('shutdown');
  expect(() => statSync(dirname(address))).toThrow('ENOENT');
});

test('a flush that fails or hangs is logged, and Shutdown is answered all the same', async () => {
  const failing = await pair({ onShutdown: () => Promise.reject(new Error('disk full')) });
  await failing.channel.call(GRPCController.method.shutdown, {});
  expect(failing.log.some((line) => line['error']?.includes('disk full'))).toBe(true);
  const hanging = await pair({ onShutdown: () => new Promise(() => undefined), shutdownMaxMs: 20 });
  await hanging.channel.call(GRPCController.method.shutdown, {});
  expect(hanging.log.some((line) => line['@level'] === 'error')).toBe(true);
});

test('a plugin to which nobody connects ends; one that was met waits on', async () => {
  const { log } = memoryLog();
  const options = {
    cookie: { name: 'C', value: 'v' },
    versions: [1],
    services: [],
    log,
    env: { C: 'v' },
    announce: () => undefined,
    firstConnectionMaxMs: 30,
  };
  const lonely = await serve(options);
  expect(await lonely.done).toBe('abandoned');
  expect(() => statSync(lonely.address)).toThrow('ENOENT');
  const met = await serve(options);
  tcpConnect(met.address).destroy();
  await new Promise((resolve) => setTimeout(resolve, 80));
  expect(statSync(met.address).isSocket()).toBe(true);
  met.close();
  expect(await met.done).toBe('closed');
});

test('a host that reconnects is served again', async () => {
  const { channel, server, line } = await pair({ services: [kv(async () => ({}))] });
  await channel.call(KV.method.get, { key: 'k' });
  channel.close();
  const { Channel } = await import('../host/channel.ts');
  const { parseHandshake } = await import('../host/handshake.ts');
  const { channelCredentials } = await import('../host/secure-channel.ts');
  const address = parseHandshake(line, { versions: [1], autoMtls: false, multiplex: false });
  const again = new Channel(address, await channelCredentials(address, undefined));
  await again.call(KV.method.get, { key: 'k' });
  again.close();
  server.close();
});

test('on loopback TCP between the ports of the host', async () => {
  const range = { PLUGIN_MIN_PORT: '10000', PLUGIN_MAX_PORT: '25000' };
  const { channel, server } = await pair({ network: 'tcp', services: [kv(async () => ({}))], env: range });
  expect(server.address).toMatch(/^127\.0\.0\.1:[12]\d{4}$/);
  await channel.call(KV.method.get, { key: 'k' });
});

test('a service with a streaming method is refused', async () => {
  const refused = pair({
    services: [{ service: Health, handle: () => Promise.reject(new Error('unused')) }],
  });
  await expect(refused).rejects.toMatchObject({ code: 'INPUT_INVALID' });
});
