import type { Policy } from '../../shapes.ts';
import { breaker } from '../shared/breaker.ts';
import { deadline } from '../shared/deadline.ts';
import { limit } from '../shared/limit.ts';
import { retry } from '../shared/retry.ts';
import type { PolicyTools } from '../tools.ts';
import type { EventsearcherSection } from './config.ts';
import { foundEvents } from './found-events.ts';

/** The policies of eventsearcher, outermost first. Nothing is remembered: a search is meant to show the newest. */
export function eventsearcherPolicies(
  _section: EventsearcherSection,
  tools?: PolicyTools,
): readonly Policy[] {
  return [breaker({ tools }), limit(), deadline(), retry({ tools }), foundEvents()];
}
