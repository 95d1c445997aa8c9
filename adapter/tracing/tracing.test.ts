import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { callOf, recordingLog } from '../../test/support/invoke.ts';
import { factsWith, failure, scripted, signedError } from '../../test/support/policies.ts';
import { otlpExporter } from './otlp.ts';
import { type Span, traced } from './span.ts';
import { traceIdOf } from './traceparent.ts';

const of = { functionName: 'office@live', target: 'worker' };
const call = () => callOf(IPFilter.method.checkIP, { ip: '203.0.113.7' });

test('the function is told the span that is exported, in the trace that the call id names', async () => {
  const spans: Span[] = [];
  const next = scripted(factsWith());
  await traced(next, of, (span) => spans.push(span))(call());
  const [span] = spans;
  expect(next.calls[0]?.traceparent).toBe(`00-${call().id}-${span?.spanId}-01`);
  expect(span).toMatchObject({
    traceId: call().id,
    name: 'proto.IPFilter/CheckIP',
    attributes: { 'sftpgo.function': 'office@live' },
  });
  expect(span).not.toHaveProperty('error');
  expect(BigInt(span?.endNs ?? 0) >= BigInt(span?.startNs ?? 0)).toBe(true);
  expect(traceIdOf('0'.repeat(32))).toBe(`${'0'.repeat(31)}1`);
});

test('a failure is a span with its code, a denial one without; the address is in neither', async () => {
  const spans: Span[] = [];
  const handler = traced(scripted(failure('UNREACHABLE'), signedError('permission_denied')), of, (span) =>
    spans.push(span),
  );
  await expect(handler(call())).rejects.toMatchObject({ code: 'UNREACHABLE' });
  await expect(handler(call())).rejects.toMatchObject({ code: 'DENIED' });
  expect(spans.map(({ error }) => error)).toEqual(['UNREACHABLE', undefined]);
  expect(JSON.stringify(spans)).not.toContain('203.0.113.7');
});

let close: (() => void) | undefined;
afterEach(() => close?.());

async function collector(status: number): Promise<{ url: string; bodies: string[] }> {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    let body = request.url ?? '';
    for await (const chunk of request) body += chunk;
    bodies.push(body);
    response.writeHead(status, status === 101 ? { connection: 'upgrade', upgrade: 'x' } : {}).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = () => server.close();
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies };
}

async function spanOf(): Promise<Span> {
  const spans: Span[] = [];
  await traced(scripted(factsWith()), of, (span) => spans.push(span))(call());
  const [span] = spans;
  if (span === undefined) throw new Error('no span');
  return span;
}

test('spans reach a collector as OTLP JSON', async () => {
  const { url, bodies } = await collector(200);
  const dropped: number[] = [];
  const exporter = otlpExporter(url, {
    type: 'ipfilter',
    log: recordingLog(),
    dropped: (n) => dropped.push(n),
  });
  const span = await spanOf();
  exporter.keep(span);
  await exporter.close();
  expect(bodies[0]).toMatch(/^\/v1\/traces\{/);
  const document = JSON.parse(bodies[0]?.slice('/v1/traces'.length) ?? '');
  expect(document.resourceSpans[0].scopeSpans[0].spans[0]).toMatchObject({
    traceId: span.traceId,
    spanId: span.spanId,
    kind: 3,
    startTimeUnixNano: span.startNs,
  });
  expect(dropped).toEqual([]);
});

test('a collector that answers 101 is away: neither the next spans nor the end wait for it', async () => {
  const { url } = await collector(101);
  const dropped: number[] = [];
  const log = recordingLog();
  const exporter = otlpExporter(url, { type: 'ipfilter', log, dropped: (n) => dropped.push(n) });
  exporter.keep(await spanOf());
  await exporter.close();
  expect(dropped).toEqual([1]);
  expect(log.lines).toHaveLength(1);
});

test('a collector that fails costs spans, one warning, and no call', async () => {
  const { url } = await collector(503);
  const dropped: number[] = [];
  const log = recordingLog();
  const exporter = otlpExporter(url, { type: 'ipfilter', log, dropped: (n) => dropped.push(n) });
  const span = await spanOf();
  for (let n = 0; n < 3000; n += 1) exporter.keep(span);
  // the queue is full: the rest is gone at once
  expect(dropped.length).toBeGreaterThan(500);
  await exporter.close();
  expect(dropped.reduce((all, n) => all + n, 0)).toBe(3000);
  expect(log.lines).toHaveLength(1);
});
