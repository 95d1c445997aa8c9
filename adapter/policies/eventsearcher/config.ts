import * as z from 'zod';
import { commonSection } from '../shared/section.ts';

/** The `eventsearcher` section of the host's configuration. */
export const eventsearcherSection = z
  .strictObject({ ...commonSection })
  .describe('Searches what a notifier stored, for the REST API and WebAdmin: SFTPGo 2.2.2 and later.');

export type EventsearcherSection = z.infer<typeof eventsearcherSection>;
