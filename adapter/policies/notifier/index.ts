import type { Policy } from '../../shapes.ts';
import { breaker } from '../shared/breaker.ts';
import { deadline } from '../shared/deadline.ts';
import { limit } from '../shared/limit.ts';
import { retry } from '../shared/retry.ts';
import type { PolicyTools } from '../tools.ts';
import type { NotifierSection } from './config.ts';
import { eventId } from './event-id.ts';

/**
 * The policies of notifier, outermost first. None of them answers in place of the function: SFTPGo forgets an event
 * once it is acknowledged, so only a verified answer may do that, and every error lets SFTPGo queue it.
 */
export function notifierPolicies(section: NotifierSection, tools?: PolicyTools): readonly Policy[] {
  return [eventId(section.instance), breaker({ tools }), limit(), deadline(), retry({ tools })];
}
