import * as z from 'zod';
import { duration } from '../../config/units.ts';
import { parseListenAddress } from '../../metrics/listen-address.ts';

/** Keys that every plugin type's section has. */
export const commonSection = {
  use: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9-]{0,62}(@[a-z0-9][a-z0-9-]{0,62})?$/,
      'expected name or name@stage, as office@live',
    )
    .transform((name) => (name.includes('@') ? name : `${name}@live`))
    .describe('Function of the lock: name, or name@stage (default stage: live).'),
  timeout: duration({ minMs: 10, maxMs: 80_000 })
    .optional()
    .describe("Longest a call may take; the host's own deadline when absent."),
  integrity: z
    .strictObject({
      require: z
        .enum(['platform', 'observed', 'claimed'])
        .describe('The weakest evidence of the deployed code that is enough.'),
    })
    .default({ require: 'claimed' })
    .describe('How well the deployed code must be proved: docs/architecture.md, "Evidence".'),
  pin: z
    .literal('version-url')
    .optional()
    .describe('For a Worker: call the address that Cloudflare ties to one version: docs/worker.md.'),
  metrics: z
    .strictObject({
      listen: z
        .string()
        .refine(
          (text) => parseListenAddress(text) !== undefined,
          'expected a loopback port or a socket: 127.0.0.1:9464, [::1]:9464, unix:/run/sftpgo/metrics.sock',
        )
        .describe('Loopback port or unix socket; each plugin needs one of its own.'),
    })
    .optional()
    .describe("Serves this plugin's figures as Prometheus text at /metrics: docs/metrics.md."),
} as const;
