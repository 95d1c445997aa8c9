import * as z from 'zod';
import { parsePrefix } from '../../../proto/net/prefix.ts';
import { duration } from '../../config/units.ts';
import { commonSection } from '../shared/section.ts';

function isPrefix(text: string): boolean {
  try {
    parsePrefix(text);
    return true;
  } catch {
    return false;
  }
}

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
    cache: z
      .strictObject({
        entries: z.int().min(0).max(10_000_000).default(100_000).describe('Verdicts kept at most; 0 = none.'),
        staleIfError: duration({ maxMs: 86_400_000 })
          .default(3_600_000)
          .describe('Longest a verdict outlives its freshness while the function cannot be asked.'),
      })
      .default({ entries: 100_000, staleIfError: 3_600_000 })
      .describe('Memory of verdicts; the function says how long each holds.'),
  })
  .describe('Which addresses may connect: SFTPGo 2.3.0 and later.');

export type IpfilterSection = z.infer<typeof ipfilterSection>;
