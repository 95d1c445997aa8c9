import * as z from 'zod';
import { duration } from '../../config/units.ts';
import { commonSection } from '../shared/section.ts';

/** The `notifier` section of the host's configuration. */
export const notifierSection = z
  .strictObject({
    ...commonSection,
    // SFTPGo lets 250 events wait at once, over all notifiers: each that hangs for its 20 s holds up the others
    timeout: duration({ minMs: 10, maxMs: 80_000 })
      .default(10_000)
      .describe('Longest an event may take; then SFTPGo queues it, if `retry_max_time` is set.'),
    instance: z
      .string()
      .regex(/^[!-~]([ -~]{0,126}[!-~])?$/, 'expected 1 to 128 printable ASCII characters')
      .describe('Name of this SFTPGo node: stored with each event, and what a search for instances finds.'),
  })
  .describe('Where events go: SFTPGo 2.2.2 and later.');

export type NotifierSection = z.infer<typeof notifierSection>;
