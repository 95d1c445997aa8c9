import * as z from 'zod';
import { normaliseAddress } from '../../proto/lock/address.ts';

/** The `tracing` key of the host's configuration. */
export const tracingConfig = z
  .strictObject({
    otlp: z
      .string()
      .transform((given, context) => {
        const address = normaliseAddress(given);
        if ('href' in address) return address.href;
        context.addIssue({ code: 'custom', message: address.problem });
        return z.NEVER;
      })
      .describe('An OpenTelemetry collector, OTLP over HTTP: http://127.0.0.1:4318.'),
  })
  .describe('Exports a span for each request to a function: docs/metrics.md, "Traces".');
