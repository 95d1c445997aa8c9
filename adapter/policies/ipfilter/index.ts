import type { Policy } from '../../shapes.ts';
import { breaker } from '../shared/breaker.ts';
import { deadline } from '../shared/deadline.ts';
import { retry } from '../shared/retry.ts';
import type { IpfilterSection } from './config.ts';
import { localVerdicts } from './local-verdicts.ts';
import { onUnavailable } from './on-unavailable.ts';
import { verdictCache } from './verdict-cache.ts';

/** The policies of ipfilter, outermost first: docs/architecture.md, "Policies". */
export function ipfilterPolicies(section: IpfilterSection): readonly Policy[] {
  return [
    localVerdicts(section.alwaysAllow),
    onUnavailable(section.onUnavailable),
    verdictCache(section.cache),
    breaker(),
    deadline(),
    retry(),
  ];
}
