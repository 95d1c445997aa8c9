import { expect, test } from 'vitest';
import { workerLogs } from './worker.ts';

const event = (id: string, timestamp: number, data: object = {}, more: object = {}) => ({
  timestamp,
  dataset: 'cloudflare-workers',
  $metadata: { id, service: 'office', message: `event ${id}`, ...data },
  ...more,
});

test('asks for the events of one Worker in a time, page by page', async () => {
  const asked: Record<string, unknown>[] = [];
  const first = Array.from({ length: 2000 }, (_, index) => event(`a${index}`, 10));
  const source = workerLogs('office@live', 'sftpgo-office', {
    async queryTelemetry(body) {
      asked.push(Object(body));
      return { events: { events: asked.length === 1 ? first : [event('b', 11)] } };
    },
  });
  const lines = await source.read(5, 20);
  expect(lines).toHaveLength(2001);
  expect(lines.at(-1)).toEqual({ atMs: 11, function: 'office@live', id: 'b', text: 'event b' });
  expect(asked[0]).toMatchObject({
    timeframe: { from: 5, to: 20 },
    parameters: { filters: [expect.objectContaining({ operation: 'eq', value: 'sftpgo-office' })] },
  });
  expect(asked.map(({ offset }) => offset)).toEqual([undefined, 'a1999']);
});

test('shows the message and its level, and never the request that came with it', async () => {
  const request = { $workers: { event: { request: { headers: { signature: 'sig=:c2VjcmV0:' } } } } };
  const source = workerLogs('office@live', 'office', {
    async queryTelemetry() {
      const events = [
        event('a', 1, { level: 'error' }, request),
        event('b', 2, { message: null, error: 'it threw', level: 'info' }, request),
        event('c', 3, { message: undefined }, { source: { nested: 'secret' }, ...request }),
      ];
      return { events: { events } };
    },
  });
  expect((await source.read(0, 9)).map(({ text }) => text)).toEqual([
    'ERROR event a',
    'it threw',
    'an event without a message',
  ]);
});

test('a Worker without events has no lines, an answer of another shape is an error', async () => {
  const none = workerLogs('office@live', 'office', { queryTelemetry: async () => ({ run: {} }) });
  expect(await none.read(0, 1)).toEqual([]);
  const other = workerLogs('office@live', 'office', { queryTelemetry: async () => ({ events: [] }) });
  await expect(other.read(0, 1)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
});
