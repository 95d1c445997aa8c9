import type { PluginTypeName } from '../../../proto/plugin-types.ts';
import type { HostKind } from '../build.ts';
import { authCases } from './auth.ts';
import type { RpcCase } from './case.ts';
import { eventsearcherCases } from './eventsearcher.ts';
import { ipfilterCases } from './ipfilter.ts';
import { kmsCases } from './kms.ts';
import { metadataCases } from './metadata.ts';
import { notifierCases } from './notifier.ts';

/** The RPCs of each type that a host's SDK has; none where it lacks the type. */
export const casesOf: Readonly<Record<PluginTypeName, (kind: HostKind) => readonly RpcCase[]>> = {
  auth: authCases,
  kms: kmsCases,
  ipfilter: ipfilterCases,
  notifier: notifierCases,
  eventsearcher: eventsearcherCases,
  metadata: metadataCases,
};
