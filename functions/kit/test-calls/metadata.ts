import type { GetFoldersResponse, GetModificationTimesResponse } from '../../../proto/gen/wire.ts';
import type { FileName, FileTime, FolderName, FoldersPage } from '../metadata.ts';
import { outputOf, type Run } from './run.ts';

/** The RPCs of a metadata plugin. */
export interface MetadataCalls {
  setModificationTime(file: FileTime): Promise<void>;
  /** Milliseconds since 1970; undefined where SFTPGo is told to use the storage's own time. */
  getModificationTime(file: FileName): Promise<bigint | undefined>;
  /** By file name. */
  getModificationTimes(folder: FolderName): Promise<Readonly<Record<string, bigint>>>;
  removeMetadata(file: FileName): Promise<void>;
  getFolders(page: Partial<FoldersPage> & Pick<FoldersPage, 'storageId'>): Promise<readonly string[]>;
}

/** The calls of a metadata plugin. */
export function metadataCalls(run: Run): MetadataCalls {
  return {
    async setModificationTime({ storageId, path, modificationTimeMs }) {
      const input = { storageId, objectPath: path, modificationTime: modificationTimeMs };
      outputOf(await run('SetModificationTime', input));
    },
    async getModificationTime({ storageId, path }) {
      const outcome = await run('GetModificationTime', { storageId, objectPath: path });
      if (outcome.refusal?.code === 'not_found') return undefined;
      return (outputOf(outcome) as { readonly modificationTime: bigint }).modificationTime;
    },
    async getModificationTimes({ storageId, folder }) {
      const outcome = await run('GetModificationTimes', { storageId, folderPath: folder });
      return (outputOf(outcome) as GetModificationTimesResponse).pairs;
    },
    async removeMetadata({ storageId, path }) {
      outputOf(await run('RemoveMetadata', { storageId, objectPath: path }));
    },
    async getFolders({ storageId, limit = 100, from = '' }) {
      return (outputOf(await run('GetFolders', { storageId, limit, from })) as GetFoldersResponse).folders;
    },
  };
}
