import * as z from 'zod';
import { duration } from '../../config/units.ts';
import { commonSection } from '../shared/section.ts';
import { type SchemeName, schemes } from './schemes.ts';

const schemeNames = Object.keys(schemes) as [SchemeName, ...SchemeName[]];
const statuses = Object.values(schemes).map(({ encryptedStatus }) => encryptedStatus);

/** The `kms` section of the host's configuration. */
export const kmsSection = z
  .strictObject({
    ...commonSection,
    scheme: z
      .enum(schemeNames)
      .default('awskms')
      .describe('How kms.secrets.url of SFTPGo begins; `host-config` writes it into kms_options.'),
    encryptedStatus: z
      .enum(statuses)
      .optional()
      .describe('The status of secrets that SFTPGo hands to this plugin; AWS for awskms, and so on.'),
    decryptCache: z
      .strictObject({
        ttl: duration({ maxMs: 300_000 })
          .default(0)
          .describe('How long a sealed answer is kept, and so how late a revoked key is noticed; 0s = off.'),
      })
      .default({ ttl: 0 })
      .describe('Memory of what the key management service decrypted below a master key.'),
  })
  .describe('Where the secrets of users, folders and SFTPGo itself are encrypted.');

export type KmsSection = z.infer<typeof kmsSection>;

/**
 * `kms_options` of SFTPGo's plugin entry. SFTPGo wants both: it encrypts by the scheme of `kms.secrets.url`, and
 * decrypts by the status that it stored beside the secret.
 */
export function kmsOptionsOf(section: Pick<KmsSection, 'scheme' | 'encryptedStatus'>): {
  readonly scheme: string;
  readonly encrypted_status: string;
} {
  const { scheme, encryptedStatus = schemes[scheme].encryptedStatus } = section;
  return { scheme, encrypted_status: encryptedStatus };
}
