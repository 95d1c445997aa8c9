import * as z from 'zod';
import { PluginError } from '../../proto/error.ts';
import type { WorkersApi } from '../deploy/worker/api.ts';
import type { LogLine, LogSource } from './line.ts';

/** The most that Cloudflare gives at once. */
const pageSize = 2000;
/** 40,000 lines of one function in one look: a shorter time shows the rest. */
const maxPages = 20;

const result = z.object({
  events: z
    .object({
      events: z
        .array(
          z.object({
            timestamp: z.number(),
            $metadata: z.object({
              id: z.string(),
              message: z.string().nullish(),
              error: z.string().nullish(),
              level: z.string().nullish(),
            }),
            source: z.unknown().optional(),
          }),
        )
        .nullish(),
    })
    .nullish(),
});

type Event = NonNullable<NonNullable<z.infer<typeof result>['events']>['events']>[number];

/**
 * What a Worker wrote, by Workers Logs
 * (https://developers.cloudflare.com/api/resources/workers/subresources/observability/): `observability.enabled` in its
 * wrangler configuration, and a token that may read Workers Observability.
 *
 * Of an event only its message is shown: the rest has the headers of a request in it.
 */
export function workerLogs(name: string, worker: string, api: Pick<WorkersApi, 'queryTelemetry'>): LogSource {
  return {
    function: name,
    async read(fromMs, untilMs) {
      const lines: LogLine[] = [];
      let offset: string | undefined;
      for (let page = 0; page < maxPages; page += 1) {
        const events = parse(await api.queryTelemetry(queryOf(worker, fromMs, untilMs, offset)));
        for (const event of events) {
          const { timestamp: atMs, $metadata: data } = event;
          lines.push({ atMs, function: name, id: data.id, text: textOf(event) });
        }
        offset = events.at(-1)?.$metadata.id;
        if (events.length < pageSize) break;
      }
      return lines;
    },
  };
}

function queryOf(worker: string, from: number, to: number, offset: string | undefined): object {
  const filter = { key: '$metadata.service', operation: 'eq', type: 'string', value: worker };
  return {
    queryId: 'sftpgo-plugin-serverless-logs',
    // nothing is kept of the query
    dry: true,
    view: 'events',
    limit: pageSize,
    timeframe: { from, to },
    parameters: { datasets: ['cloudflare-workers'], filterCombination: 'and', filters: [filter] },
    ...(offset === undefined ? {} : { offset, offsetDirection: 'next' }),
  };
}

function parse(answer: unknown): readonly Event[] {
  const parsed = result.safeParse(answer);
  if (parsed.success) return parsed.data.events?.events ?? [];
  throw new PluginError('INPUT_INVALID', {
    happened: 'the Cloudflare API shows logs in an unknown way',
    expected: 'events as its documentation has them',
    remedy: 'Look at them in the dashboard, and for a newer release of this package.',
    cause: parsed.error,
  });
}

function textOf({ $metadata: { message, error, level }, source }: Event): string {
  const text = message ?? error ?? (typeof source === 'string' ? source : 'an event without a message');
  return level && level !== 'info' && level !== 'log' ? `${level.toUpperCase()} ${text}` : text;
}
