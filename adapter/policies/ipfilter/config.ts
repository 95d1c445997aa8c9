import * as z from 'zod';
import { parsePrefix } from '../../../proto/net/prefix.ts';
import { byteSize, duration } from '../../config/units.ts';
import { commonSection } from '../shared/section.ts';

function isPrefix(text: string): boolean {
  try {
    parsePrefix(text);
    return true;
  } catch {
    return false;
  }
}

const cacheDefaults = {
  entries: 100_000,
  bytes: 32 * 1024 ** 2,
  staleIfError: 3_600_000,
  widestScope: { ipv4: 16, ipv6: 32 },
};

/** The `ipfilter` section of the host's configuration. */
export const ipfilterSection = z
  .strictObject({
    ...commonSection,
    onUnavailable: z
      .enum(['deny', 'allow'])
      .default('deny')
      .describe('The verdict when the function cannot be asked and nothing fresh enough is remembered.'),
    alwaysAllow: z
      .array(z.string().refine(isPrefix, 'expected a network prefix, as 10.0.0.0/8 or ::1/128'))
      .default(['127.0.0.0/8', '::1/128'])
      .describe('Networks that are never asked about, so that an outage cannot lock out the administrator.'),
    maxUnanswered: z
      .int()
      .min(1)
      .max(100_000)
      .default(1000)
      .describe('Different questions that may wait for the function at once; addresses beyond are denied.'),
    cache: z
      .strictObject({
        entries: z
          .int()
          .min(0)
          .max(10_000_000)
          .default(cacheDefaults.entries)
          .describe('Verdicts kept at most; 0 = none.'),
        bytes: byteSize({ maxBytes: 16 * 1024 ** 3 })
          .default(cacheDefaults.bytes)
          .describe('Memory that they may take, estimated from above.'),
        staleIfError: duration({ maxMs: 86_400_000 })
          .default(cacheDefaults.staleIfError)
          .describe('Longest a verdict outlives its freshness while the function cannot be asked.'),
        widestScope: z
          .strictObject({
            ipv4: z.int().min(0).max(32).default(16).describe('Shortest prefix of IPv4.'),
            ipv6: z.int().min(0).max(128).default(32).describe('Shortest prefix of IPv6.'),
          })
          .default(cacheDefaults.widestScope)
          .describe('The widest network that one verdict may speak for; a wider one is cut to it.'),
      })
      .default(cacheDefaults)
      .describe('Memory of verdicts; the function says for which network and how long each holds.'),
  })
  .describe('Which addresses may connect: SFTPGo 2.3.0 and later.');

export type IpfilterSection = z.infer<typeof ipfilterSection>;
