import type { Config, SectionName } from '../config/schema.ts';
import type { Policy } from '../shapes.ts';
import { ipfilterPolicies } from './ipfilter/index.ts';

/** For each plugin type, its ordered policies out of its config section. */
const policies: {
  readonly [T in SectionName]: (section: NonNullable<Config[T]>) => readonly Policy[];
} = { ipfilter: ipfilterPolicies };

/** The policies of a plugin type, outermost first. */
export function policiesOf<T extends SectionName>(
  type: T,
  section: NonNullable<Config[T]>,
): readonly Policy[] {
  return policies[type](section);
}

/** Can this release serve plugins of this type? */
export function isSectionName(type: string): type is SectionName {
  return Object.hasOwn(policies, type);
}
