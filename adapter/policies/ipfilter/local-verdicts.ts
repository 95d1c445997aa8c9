import { create } from '@bufbuild/protobuf';
import { PluginError } from '../../../proto/error.ts';
import { CheckIPRequestSchema } from '../../../proto/gen/sftpgo/ipfilter_pb.ts';
import { parseAddress } from '../../../proto/net/address.ts';
import { networks } from '../../../proto/net/networks.ts';
import type { Call, Policy } from '../../shapes.ts';
import type { PolicyTools } from '../tools.ts';

/** The address that CheckIP asks about; undefined for other calls. */
export function askedAddress(call: Call): { ip: string; protocol: string } | undefined {
  return call.input.$typeName === CheckIPRequestSchema.typeName
    ? (call.input as ReturnType<typeof create<typeof CheckIPRequestSchema>>)
    : undefined;
}

/**
 * Verdicts that need no function: `alwaysAllow` networks are allowed, and what is no address is denied whatever
 * `onUnavailable` says (a unix-socket HTTP binding of SFTPGo has no address: docs/sftpgo.md).
 *
 * Throws INPUT_INVALID for no address; the host sees a ban.
 */
export function localVerdicts(alwaysAllow: readonly string[], tools?: PolicyTools): Policy {
  const always = networks(...alwaysAllow);
  return {
    name: 'local-verdicts',
    wrap: (next) => async (call) => {
      const asked = askedAddress(call);
      if (asked === undefined) return await next(call);
      if (parseAddress(asked.ip) === undefined) {
        tools?.count?.('ipfilter_local', { verdict: 'no-address' });
        throw new PluginError('INPUT_INVALID', {
          happened: 'CheckIP was asked about something that is no IP address',
          expected: 'an IPv4 or IPv6 address',
          remedy: 'Denied. A binding of SFTPGo on a unix socket has no address: do not filter it.',
        });
      }
      if (!always.has(asked.ip)) return await next(call);
      tools?.count?.('ipfilter_local', { verdict: 'always-allow' });
      if (call.trace) call.trace.answeredBy = 'always-allow';
      return { output: create(call.method.output) };
    },
  };
}
