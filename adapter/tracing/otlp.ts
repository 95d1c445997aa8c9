import type { ClientRequest, RequestOptions } from 'node:http';
import type { Log } from '../invoke/connection.ts';
import type { Span } from './span.ts';

const batch = 256;
/** A collector that is away must not become memory. */
const maxQueued = 2048;
const flushMs = 5000;
const timeoutMs = 5000;

/** Sends spans to an OpenTelemetry collector. */
export interface SpanExporter {
  keep(span: Span): void;
  /** Sends what is left. */
  close(): Promise<void>;
}

/**
 * OTLP over HTTP with JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp) to `<endpoint>/v1/traces`, in batches
 * and beside the calls: what cannot be sent is dropped and counted, with one WARN until it works again.
 */
export function otlpExporter(
  endpoint: string,
  options: { readonly type: string; readonly log: Log; readonly dropped: (spans: number) => void },
): SpanExporter {
  let queue: Span[] = [];
  let sending: Promise<void> | undefined;
  let warned = false;
  const timer = setInterval(() => void flush(), flushMs);
  timer.unref();

  async function flush(): Promise<void> {
    if (sending !== undefined || queue.length === 0) return await sending;
    const spans = queue.slice(0, batch);
    queue = queue.slice(batch);
    sending = send(spans).finally(() => {
      sending = undefined;
    });
    await sending;
  }

  async function send(spans: readonly Span[]): Promise<void> {
    try {
      await postJson(`${endpoint}/v1/traces`, JSON.stringify(document(spans, options.type)));
      warned = false;
    } catch (error) {
      options.dropped(spans.length);
      if (!warned)
        options.log.warn('spans cannot be exported', {
          endpoint,
          error: Object(error).code ?? String(error),
        });
      warned = true;
    }
  }

  return {
    keep(span) {
      if (queue.length >= maxQueued) {
        options.dropped(1);
        return;
      }
      queue.push(span);
      if (queue.length >= batch) void flush();
    },
    async close() {
      clearInterval(timer);
      await sending;
      while (queue.length > 0 && !warned) await flush();
      if (queue.length > 0) options.dropped(queue.length);
    },
  };
}

function document(spans: readonly Span[], type: string): object {
  const text = (attributes: Readonly<Record<string, string>>) =>
    Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  return {
    resourceSpans: [
      {
        resource: { attributes: text({ 'service.name': 'sftpgo-plugin-serverless', 'sftpgo.plugin': type }) },
        scopeSpans: [
          {
            scope: { name: 'sftpgo-plugin-serverless' },
            spans: spans.map((span) => ({
              traceId: span.traceId,
              spanId: span.spanId,
              name: span.name,
              kind: 3,
              startTimeUnixNano: span.startNs,
              endTimeUnixNano: span.endNs,
              attributes: text(span.attributes),
              status: span.error === undefined ? {} : { code: 2, message: span.error },
            })),
          },
        ],
      },
    ],
  };
}

async function postJson(url: string, body: string): Promise<void> {
  const { request }: { request(url: string, options: RequestOptions): ClientRequest } = url.startsWith(
    'https:',
  )
    ? await import('node:https')
    : await import('node:http');
  await new Promise<void>((resolve, reject) => {
    const outgoing = request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) },
      signal: AbortSignal.timeout(timeoutMs),
    });
    outgoing.once('error', reject);
    // Node ends a request that is answered 101 without an error: only `close` tells
    outgoing.once('close', () => reject(new Error('closed without an answer')));
    outgoing.once('response', (response) => {
      response.resume();
      const { statusCode = 0 } = response;
      if (statusCode >= 200 && statusCode < 300) resolve();
      else reject(new Error(`status ${statusCode}`));
    });
    outgoing.end(body);
  });
}
