import * as z from 'zod';
import { duration } from '../../config/units.ts';
import { commonSection } from '../shared/section.ts';
import { fsEvents, logEvents, providerEvents, providerObjects, usualFsEvents } from './events.ts';

const events = z.strictObject({
  fs: z
    .array(z.enum(fsEvents))
    .default(usualFsEvents)
    .describe('What happens to files. `pre-…` cannot stop anything; `first-…` comes beside the plain event.'),
  provider: z
    .array(z.enum(providerEvents))
    .default([...providerEvents])
    .describe("What happens to SFTPGo's own objects."),
  objects: z
    .array(z.enum(providerObjects))
    .default([...providerObjects])
    .describe('Which of them: users, folders and so on.'),
  log: z.array(z.enum(logEvents)).default(logEvents).describe('Logins: SFTPGo 2.5.1 and later.'),
});

const retry = z.strictObject({
  // a call that hangs takes 20 s, and SFTPGo looks at its queue every 30 s: less would mean no second try
  maxTime: duration({ minMs: 60_000 })
    .default(86_400_000)
    .describe('How old an event may become in the queue of SFTPGo before it is dropped.'),
  queue: z
    .int()
    .min(0)
    .max(10_000_000)
    .default(100_000)
    .describe('Events that SFTPGo keeps in memory at most, about 1 KiB each; 0 = no limit.'),
});

/** The `notifier` section of the host's configuration. */
export const notifierSection = z
  .strictObject({
    ...commonSection,
    // SFTPGo lets 250 events wait at once, over all notifiers: each that hangs for its 20 s holds up the others
    timeout: duration({ minMs: 10, maxMs: 80_000 })
      .default(10_000)
      .describe('Longest an event may take; then SFTPGo queues it.'),
    instance: z
      .string()
      .regex(/^[!-~]([ -~]{0,126}[!-~])?$/, 'expected 1 to 128 printable ASCII characters')
      .describe('Name of this SFTPGo node: stored with each event, and what a search for instances finds.'),
    events: events
      .prefault({})
      .describe('Which events `host-config` lets SFTPGo send, as far as the function handles them.'),
    retry: retry
      .prefault({})
      .describe('What `host-config` lets SFTPGo do with an event that was not stored.'),
  })
  .describe('Where events go: SFTPGo 2.2.2 and later.');

export type NotifierSection = z.infer<typeof notifierSection>;
