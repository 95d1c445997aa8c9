import * as z from 'zod';
import { normaliseAddress } from '../../../proto/lock/address.ts';
import { duration } from '../../config/units.ts';

/**
 * The `cloudflare` key of the host's configuration: with what token the adapter looks at what is deployed on
 * Workers. Without it, functions on Workers are called all the same, and only say themselves which version they are.
 */
export const cloudflareConfig = z
  .strictObject({
    account: z
      .string()
      .regex(/^[0-9a-f]{32}$/, 'expected the id of an account: 32 hexadecimal digits')
      .describe('Id of the Cloudflare account that the Workers are in.'),
    tokenFile: z
      .string()
      .min(1)
      .max(1024)
      .regex(/^[^{}\n]*$/, 'expected the path of a file, not its content')
      .describe(
        'File with an API token that may read Workers Scripts, and nothing else; not readable by others.',
      ),
    watch: duration({ minMs: 1000, maxMs: 900_000 })
      .optional()
      .describe('How often what is deployed is compared with the lock; default: 60s.'),
    endpoint: z
      .string()
      .transform((given, context) => {
        const address = normaliseAddress(given);
        if ('href' in address) return address.href;
        context.addIssue({ code: 'custom', message: address.problem });
        return z.NEVER;
      })
      .optional()
      .describe("Address of Cloudflare's API; default: https://api.cloudflare.com/client/v4."),
  })
  .describe('How what is deployed on Cloudflare Workers is looked at.');

export type CloudflareConfig = z.infer<typeof cloudflareConfig>;
