import type { Policy } from '../../shapes.ts';
import { breaker } from '../shared/breaker.ts';
import { deadline } from '../shared/deadline.ts';
import { defaultLimits, limit } from '../shared/limit.ts';
import { retry } from '../shared/retry.ts';
import type { PolicyTools } from '../tools.ts';
import type { IpfilterSection } from './config.ts';
import { localVerdicts } from './local-verdicts.ts';
import { onUnavailable } from './on-unavailable.ts';
import { watchOutage } from './outage.ts';
import { verdictCache } from './verdict-cache.ts';
import { verdictLog } from './verdict-log.ts';

/** So many questions may be unanswered, asked or waiting; a Reload finds a place beside them. */
function questions(maxUnanswered: number) {
  const maxOfOneRpc = Math.min(defaultLimits.maxOfOneRpc, maxUnanswered);
  return { maxOfOneRpc, maxQueued: maxUnanswered - maxOfOneRpc };
}

/** The policies of ipfilter, outermost first: docs/architecture.md, "Policies". */
export function ipfilterPolicies(section: IpfilterSection, tools?: PolicyTools): readonly Policy[] {
  const outage = watchOutage();
  return [
    verdictLog(tools),
    localVerdicts(section.alwaysAllow, tools),
    onUnavailable(section.onUnavailable, outage, tools),
    verdictCache(section.cache, tools),
    breaker({ tools }),
    limit(questions(section.maxUnanswered)),
    outage.policy,
    deadline(),
    retry({ tools }),
  ];
}
