import * as z from 'zod';
import { authSection } from '../policies/auth/config.ts';
import { eventsearcherSection } from '../policies/eventsearcher/config.ts';
import { ipfilterSection } from '../policies/ipfilter/config.ts';
import { kmsSection } from '../policies/kms/config.ts';
import { metadataSection } from '../policies/metadata/config.ts';
import { notifierSection } from '../policies/notifier/config.ts';
import { httpsConfig } from '../targets/https/config.ts';
import { awsConfig } from '../targets/lambda/config.ts';
import { localConfig } from '../targets/local/config.ts';
import { cloudflareConfig } from '../targets/worker/config.ts';
import { tracingConfig } from '../tracing/config.ts';

/** A path, never a key pasted in its place: paths are quoted in messages. */
const file = z
  .string()
  .min(1)
  .max(1024)
  .regex(/^[^{}\n]*$/, 'expected the path of a file, not its content');

/**
 * The host's configuration: policy only; what is deployed where stands in the lock. Each plugin type's section
 * lives in its policies folder, each target's in its targets folder; paths are relative to the config file.
 */
export const configSchema = z.strictObject({
  $schema: z.string().optional(),
  identity: file.describe("The adapter's private key: a JWK made by `keys create`."),
  lock: z
    .strictObject({
      file: file.describe('The sealed lock.'),
      onExpired: z
        .enum(['serve', 'refuse'])
        .default('serve')
        .describe('After `expires`: serve on what was accepted before, or refuse every call.'),
    })
    .describe('Where the lock is, and what its expiry does.'),
  trust: z
    .strictObject({
      file: file.describe('JWKS of the keys that may seal the lock.'),
      threshold: z.int().min(1).max(16).default(1).describe('How many of them must have sealed it.'),
    })
    .describe('Who may seal the lock.'),
  state: file
    .optional()
    .describe('Folder for what must outlast a restart: the seq of the last lock accepted.'),
  https: httpsConfig.optional(),
  aws: awsConfig.optional(),
  cloudflare: cloudflareConfig.optional(),
  local: localConfig.optional(),
  tracing: tracingConfig.optional(),
  auth: authSection.optional(),
  ipfilter: ipfilterSection.optional(),
  kms: kmsSection.optional(),
  notifier: notifierSection.optional(),
  eventsearcher: eventsearcherSection.optional(),
  metadata: metadataSection.optional(),
});

export type Config = z.infer<typeof configSchema>;

/** Sections that this release can serve, by plugin type. */
export type SectionName = 'auth' | 'ipfilter' | 'kms' | 'notifier' | 'eventsearcher' | 'metadata';

/** JSON Schema (2020-12) of the config file, for editors. */
export function configJsonSchema(): object {
  return {
    ...z.toJSONSchema(configSchema, { io: 'input' }),
    title: 'sftpgo-plugin-serverless host configuration',
  };
}
