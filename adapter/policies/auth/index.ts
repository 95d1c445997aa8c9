import type { Policy } from '../../shapes.ts';
import { breaker } from '../shared/breaker.ts';
import { deadline } from '../shared/deadline.ts';
import { limit } from '../shared/limit.ts';
import { retry } from '../shared/retry.ts';
import type { PolicyTools } from '../tools.ts';
import type { AuthSection } from './config.ts';
import { dialogues } from './dialogues.ts';
import { grants } from './grants.ts';

/** The policies of auth, outermost first: docs/auth.md. No login is remembered. */
export function authPolicies(section: AuthSection, tools?: PolicyTools): readonly Policy[] {
  return [grants(section), dialogues(section), breaker({ tools }), limit(), deadline(), retry({ tools })];
}
