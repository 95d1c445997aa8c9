import type { Config, SectionName } from '../../../adapter/config/schema.ts';
import { authSection } from '../../../adapter/policies/auth/config.ts';
import { eventsearcherSection } from '../../../adapter/policies/eventsearcher/config.ts';
import { policiesOf } from '../../../adapter/policies/index.ts';
import { ipfilterSection } from '../../../adapter/policies/ipfilter/config.ts';
import { kmsSection } from '../../../adapter/policies/kms/config.ts';
import { metadataSection } from '../../../adapter/policies/metadata/config.ts';
import { notifierSection } from '../../../adapter/policies/notifier/config.ts';
import type { Policy } from '../../../adapter/shapes.ts';

type Sections = { readonly [T in SectionName]: NonNullable<Config[T]> };

/**
 * A configuration of every type, with what is allowed at its least, and without a memory of verdicts: each input is judged
 * by its own answer.
 */
export const sections: Sections = {
  auth: authSection.parse({ use: 'office' }),
  kms: kmsSection.parse({ use: 'office' }),
  notifier: notifierSection.parse({ use: 'office', instance: 'node1' }),
  ipfilter: ipfilterSection.parse({ use: 'office', alwaysAllow: [], cache: { entries: 0 } }),
  eventsearcher: eventsearcherSection.parse({ use: 'office' }),
  metadata: metadataSection.parse({ use: 'office' }),
};

/** The policies of a type by that configuration. */
export function policiesFor<T extends SectionName>(type: T): readonly Policy[] {
  return policiesOf(type, sections[type]);
}
