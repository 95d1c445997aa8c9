/**
 * An SFTPGo metadata plugin (SFTPGo 2.2.2 to 2.5.6) that keeps modification times in DynamoDB.
 * Subpath `sftpgo-plugin-serverless/functions/metadata`; docs/metadata.md.
 */
import { lazyClient } from '../dynamo/client.ts';
import { onTable } from '../dynamo/failure.ts';
import { type TableOptions, tableName } from '../dynamo/options.ts';
import { type Context, FunctionError, type MetadataPlugin, metadata } from '../kit/index.ts';
import { fileKey, filesPlace, folderKey, foldersPlace } from './keys.ts';
import { metadataTable, metadataTableVariable } from './tables.ts';
import { listFolders, listTimes, readTime, removeTime, type TimesTable, writeTime } from './times.ts';

export { metadataTable } from './tables.ts';

/**
 * Makes a metadata plugin.
 *
 * ```ts
 * import { storeTimes } from 'sftpgo-plugin-serverless/functions/metadata';
 *
 * export default storeTimes();
 * ```
 */
export function storeTimes(options: TableOptions = {}): MetadataPlugin {
  const client = lazyClient(options);
  const on = <T>({ env, log, signal }: Context, work: (times: TimesTable) => Promise<T>): Promise<T> => {
    const table = tableName(options, env, metadataTableVariable, metadataTable.TableName);
    return onTable(table, log, () => work({ client: client(), table, signal }));
  };
  return metadata({
    async setModificationTime({ storageId, path, modificationTimeMs }, context) {
      const file = fileKey(storageId, path);
      const folder = folderKey(storageId, path);
      if (storageId === '' || file === undefined || folder === undefined) {
        throw new FunctionError('invalid_argument', 'no path of a file, or one too long for DynamoDB');
      }
      await on(context, (times) => writeTime(times, { file, folder }, modificationTimeMs));
    },
    async getModificationTime({ storageId, path }, context) {
      const file = fileKey(storageId, path);
      return file && (await on(context, (times) => readTime(times, file)));
    },
    async getModificationTimes({ storageId, folder }, context) {
      const place = filesPlace(storageId, folder);
      return place === undefined ? {} : await on(context, (times) => listTimes(times, place));
    },
    async removeMetadata({ storageId, path }, context) {
      const file = fileKey(storageId, path);
      const folder = folderKey(storageId, path);
      if (file && folder) await on(context, (times) => removeTime(times, { file, folder }));
    },
    async getFolders({ storageId, limit, from }, context) {
      if (storageId === '') throw new FunctionError('invalid_argument', 'storage_id is missing');
      return await on(context, (times) => listFolders(times, foldersPlace(storageId), { limit, from }));
    },
  });
}
