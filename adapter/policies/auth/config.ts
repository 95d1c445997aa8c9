import * as z from 'zod';
import { commonSection } from '../shared/section.ts';
import { pathsWith } from './user-fields.ts';

/** SFTPGo's numbers of storage providers (sdk.FilesystemProvider). */
export const providerNames = ['local', 's3', 'gcs', 'azblob', 'crypt', 'sftp', 'http'] as const;

/** SFTPGo's permissions; `*` is all of them. */
export const permissionNames = [
  '*',
  'list',
  'download',
  'upload',
  'overwrite',
  'create_dirs',
  'rename',
  'rename_files',
  'rename_dirs',
  'delete',
  'delete_files',
  'delete_dirs',
  'copy',
  'create_symlinks',
  'chmod',
  'chown',
  'chtimes',
] as const;

/** Fields that a ceiling can name one by one: those that no other key of it speaks about and that are not `host`. */
export const nameableFields = pathsWith(
  new Set(['named', 'limit', 'raise', 'on', 'more', 'narrow', 'first', 'status', 'in-bucket']),
);

const glob = z
  .string()
  .regex(/^[^*]+\*?$|^\*$/, 'expected a name, or the beginning of names with one * at its end, as team-*');

const ceiling = z.strictObject({
  homes: z
    .array(
      z
        .string()
        .regex(/^\/(?!.*(?:\/\/|\/\.{1,2}(?:\/|$)|\\)).*[^/]$/, 'expected an absolute folder, as /srv/sftp'),
    )
    .default([])
    .describe('Folders in which home directories may lie.'),
  permissions: z.array(z.enum(permissionNames)).default([]).describe('Permissions on files; "*" is all.'),
  providers: z.array(z.enum(providerNames)).default([]).describe('Storage providers.'),
  buckets: z.array(glob).default([]).describe('Buckets and containers: names, or beginnings as team-*.'),
  groups: z.array(glob).default([]).describe('Groups: names, or beginnings as team-*.'),
  folders: z.array(glob).default([]).describe('Virtual folders that exist: names, or beginnings as team-*.'),
  fields: z
    .array(z.enum(nameableFields))
    .default([])
    .describe('Further fields that may change to anything, as email or quota_size: docs/auth.md.'),
  onExcess: z.enum(['refuse']).default('refuse').describe('What happens to a login that would get more.'),
});

/** The most that a function's answer may give a user. */
export type Ceiling = z.infer<typeof ceiling>;

/** The `auth` section of the host's configuration. */
export const authSection = z
  .strictObject({
    ...commonSection,
    send: z
      .enum(['minimal', 'full'])
      .default('minimal')
      .describe('What the function sees of a user: `minimal` leaves out hashes and secrets, `full` nothing.'),
    ceiling: ceiling
      .prefault({})
      .describe('The most that the function may grant; absent: nothing beyond what the host has.'),
    keyboardInteractive: z
      .strictObject({
        withoutQuestion: z
          .enum(['refuse', 'accept'])
          .default('refuse')
          .describe('A dialogue that succeeds before anything was asked.'),
      })
      .prefault({})
      .describe('SSH dialogues.'),
  })
  .describe('Who may log in and as whom: SFTPGo 2.2.2 and later.');

export type AuthSection = z.infer<typeof authSection>;
