import {
  type GetFoldersRequest,
  type GetModificationTimeRequest,
  type GetModificationTimesRequest,
  metadataService,
  type RemoveMetadataRequest,
  type SetModificationTimeRequest,
} from '../../proto/gen/wire.ts';
import type { Context } from './context.ts';
import { definePlugin } from './define.ts';
import type { Outcome, Plugin } from './plugin.ts';
import { refusal } from './refusal.ts';

/** A file of a cloud storage. */
export interface FileName {
  /** `s3://BUCKET`, `s3://ENDPOINT/BUCKET`, `gs://BUCKET`, `azblob://CONTAINER`, `azblob://ENDPOINT/CONTAINER`. */
  readonly storageId: string;
  /** Absolute, from the storage's root: `/reports/2026.csv`. */
  readonly path: string;
}

/** A file and its time. */
export interface FileTime extends FileName {
  /** Milliseconds since 1970. */
  readonly modificationTimeMs: bigint;
}

/** A folder of a cloud storage. */
export interface FolderName {
  /** As in {@link FileName}. */
  readonly storageId: string;
  /** Absolute, without a trailing slash; the root is `/`. */
  readonly folder: string;
}

/** Which folders to list. */
export interface FoldersPage {
  /** As in {@link FileName}. */
  readonly storageId: string;
  /** At most this many; undefined: all. */
  readonly limit: number | undefined;
  /** Only folders strictly after this one; empty to start. */
  readonly from: string;
}

/** What the author of a metadata plugin writes. SFTPGo asks for each file and each folder that a client looks at. */
export interface Metadata<Env> {
  /** Stores a time, in place of an older one. */
  setModificationTime(file: FileTime, context: Context<Env>): void | Promise<void>;
  /** The stored time in ms since 1970; undefined where there is none: SFTPGo then shows the storage's own. */
  getModificationTime(
    file: FileName,
    context: Context<Env>,
  ): bigint | undefined | Promise<bigint | undefined>;
  /** The stored times of a folder's files by their names, without paths; `{}` where there are none. */
  getModificationTimes(
    folder: FolderName,
    context: Context<Env>,
  ): Readonly<Record<string, bigint>> | Promise<Readonly<Record<string, bigint>>>;
  /** Forgets a file; one that is not known is no error. */
  removeMetadata(file: FileName, context: Context<Env>): void | Promise<void>;
  /** Folders that have files with times, ascending by their bytes. A page shorter than `limit` is the last. */
  getFolders(page: FoldersPage, context: Context<Env>): readonly string[] | Promise<readonly string[]>;
}

/** What {@link metadata} makes: the default export of a metadata function. */
export interface MetadataPlugin<Env = unknown> extends Plugin<Env> {
  readonly type: 'metadata';
}

/**
 * Makes an SFTPGo metadata plugin, for SFTPGo 2.2.2 to 2.5.6.
 *
 * ```ts
 * import { metadata } from 'sftpgo-plugin-serverless/kit';
 *
 * export default metadata<{ TIMES: Times }>({
 *   setModificationTime: ({ storageId, path, modificationTimeMs }, { env }) => env.TIMES.put(storageId, path, modificationTimeMs),
 *   getModificationTime: ({ storageId, path }, { env }) => env.TIMES.get(storageId, path),
 *   getModificationTimes: ({ storageId, folder }, { env }) => env.TIMES.list(storageId, folder),
 *   removeMetadata: ({ storageId, path }, { env }) => env.TIMES.remove(storageId, path),
 *   getFolders: ({ storageId, limit, from }, { env }) => env.TIMES.folders(storageId, limit, from),
 * });
 * ```
 */
export function metadata<Env = unknown>(store: Metadata<Env>): MetadataPlugin<Env> {
  const methods = metadataService.methods;
  const plugin = definePlugin<Env>({
    type: 'metadata',
    service: metadataService.typeName,
    maxRequestBytes: 1024 * 1024,
    rpcs: {
      [methods.setModificationTime.name]: {
        table: methods.setModificationTime,
        async run(input: SetModificationTimeRequest, context): Promise<Outcome> {
          const file = { ...fileOf(input), modificationTimeMs: input.modificationTime };
          await store.setModificationTime(file, context);
          return {};
        },
      },
      [methods.getModificationTime.name]: {
        table: methods.getModificationTime,
        async run(input: GetModificationTimeRequest, context): Promise<Outcome> {
          const modificationTime = await store.getModificationTime(fileOf(input), context);
          return modificationTime === undefined
            ? refusal('not_found', 'no time is stored')
            : { output: { modificationTime } };
        },
      },
      [methods.getModificationTimes.name]: {
        table: methods.getModificationTimes,
        async run({ storageId, folderPath }: GetModificationTimesRequest, context): Promise<Outcome> {
          const pairs = await store.getModificationTimes({ storageId, folder: folderPath }, context);
          return { output: { pairs } };
        },
      },
      [methods.removeMetadata.name]: {
        table: methods.removeMetadata,
        async run(input: RemoveMetadataRequest, context): Promise<Outcome> {
          await store.removeMetadata(fileOf(input), context);
          return {};
        },
      },
      [methods.getFolders.name]: {
        table: methods.getFolders,
        async run({ storageId, limit, from }: GetFoldersRequest, context): Promise<Outcome> {
          const page = { storageId, from, limit: limit > 0 ? limit : undefined };
          return { output: { folders: await store.getFolders(page, context) } };
        },
      },
    },
  });
  return { ...plugin, type: 'metadata' };
}

function fileOf({ storageId, objectPath }: GetModificationTimeRequest): FileName {
  return { storageId, path: objectPath };
}
