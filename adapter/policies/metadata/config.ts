import * as z from 'zod';
import { commonSection } from '../shared/section.ts';

/** The `metadata` section of the host's configuration. */
export const metadataSection = z
  .strictObject({ ...commonSection })
  .describe('Modification times that a cloud storage cannot keep: SFTPGo 2.2.2 to 2.5.6 only.');

export type MetadataSection = z.infer<typeof metadataSection>;
