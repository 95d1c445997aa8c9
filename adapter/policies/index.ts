import type { Config, SectionName } from '../config/schema.ts';
import type { Policy } from '../shapes.ts';
import { authPolicies } from './auth/index.ts';
import { eventsearcherPolicies } from './eventsearcher/index.ts';
import { ipfilterPolicies } from './ipfilter/index.ts';
import { kmsPolicies } from './kms/index.ts';
import { metadataPolicies } from './metadata/index.ts';
import { notifierPolicies } from './notifier/index.ts';
import type { PolicyTools } from './tools.ts';

/** For each plugin type, its ordered policies out of its config section. */
const policies: {
  readonly [T in SectionName]: (section: NonNullable<Config[T]>, tools?: PolicyTools) => readonly Policy[];
} = {
  auth: authPolicies,
  ipfilter: ipfilterPolicies,
  kms: kmsPolicies,
  notifier: notifierPolicies,
  eventsearcher: eventsearcherPolicies,
  metadata: metadataPolicies,
};

/** The policies of a plugin type, outermost first. `tools` may be absent where nobody reads what they say. */
export function policiesOf<T extends SectionName>(
  type: T,
  section: NonNullable<Config[T]>,
  tools?: PolicyTools,
): readonly Policy[] {
  return policies[type](section, tools);
}

/** Can this release serve plugins of this type? */
export function isSectionName(type: string): type is SectionName {
  return Object.hasOwn(policies, type);
}
