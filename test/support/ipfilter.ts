import { compose } from '../../adapter/policies/compose.ts';
import { ipfilterSection } from '../../adapter/policies/ipfilter/config.ts';
import { ipfilterPolicies } from '../../adapter/policies/ipfilter/index.ts';
import type { Trace } from '../../adapter/shapes.ts';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { callOf, recordingLog } from './invoke.ts';
import { codeOf, type Step, scripted } from './policies.ts';

/** How long a call may take; absent: as {@link callOf}. */
interface Patience {
  readonly timeoutMs?: number;
}

/** All policies of a section over a function that plays `steps`. */
export function filterOf(section: object, ...steps: readonly Step[]) {
  const next = scripted(...steps);
  const counts = new Map<string, number>();
  const log = recordingLog();
  const policies = ipfilterPolicies(ipfilterSection.parse({ use: 'office', ...section }), {
    functionName: 'office@live',
    log,
    count(name, labels = {}) {
      const key = [name, ...Object.values(labels)].join(' ');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
  });
  const handle = compose(policies, next);
  const ask = (ip: string, protocol: string, options: Patience & { readonly trace?: Trace } = {}) =>
    handle(callOf(IPFilter.method.checkIP, { ip, protocol }, options));
  return {
    next,
    counts,
    log,
    ask,
    /** What the host gets: `answered` or a code, and who answered if it was not the function. */
    async see(ip: string, protocol = 'SSH', options: Patience = {}): Promise<string> {
      const trace: Trace = {};
      const code = await codeOf(ask(ip, protocol, { ...options, trace }));
      return trace.answeredBy === undefined ? code : `${code} by ${trace.answeredBy}`;
    },
    reload: async (options: Patience = {}) => {
      for (const policy of policies) await policy.reload?.();
      return await codeOf(handle(callOf(IPFilter.method.reload, {}, options)));
    },
  };
}
