import * as z from 'zod';
import { apiErrors } from './envelope.ts';

const query = z.object({
  timeframe: z.object({ from: z.number(), to: z.number() }),
  view: z.literal('events'),
  limit: z.number().max(2000),
  parameters: z.object({
    filters: z
      .array(z.object({ key: z.literal('$metadata.service'), operation: z.literal('eq'), value: z.string() }))
      .length(1),
  }),
});

/**
 * Events of Workers Logs: each line that workerd wrote for the Worker of the query is one. When it was written is not
 * known here: all of them are as old as the query.
 */
export function telemetry(body: unknown, outputOf: (worker: string) => string): object {
  const parsed = query.safeParse(body);
  if (!parsed.success) throw apiErrors.invalid(parsed.error.issues[0]?.message ?? '');
  const { timeframe, limit, parameters } = parsed.data;
  const [worker = ''] = parameters.filters.map(({ value }) => value);
  const lines = outputOf(worker)
    .split('\n')
    .filter((line) => line !== '');
  const events = lines.slice(0, limit).map((message, index) => ({
    timestamp: timeframe.to - 1,
    dataset: 'cloudflare-workers',
    $metadata: { id: `line-${index}`, service: worker, level: 'info', message },
    source: { message },
  }));
  return { run: {}, statistics: {}, events: { count: events.length, events } };
}
