import type { Policy } from '../../shapes.ts';
import { breaker } from '../shared/breaker.ts';
import { deadline } from '../shared/deadline.ts';
import { retry } from '../shared/retry.ts';
import type { NotifierSection } from './config.ts';
import { eventId } from './event-id.ts';

/**
 * The policies of notifier, outermost first. None of them answers in place of the function: SFTPGo forgets an event
 * once it is acknowledged, so only a verified answer may do that, and every error lets SFTPGo queue it.
 */
export function notifierPolicies(section: NotifierSection): readonly Policy[] {
  return [eventId(section.instance), breaker(), deadline(), retry()];
}
