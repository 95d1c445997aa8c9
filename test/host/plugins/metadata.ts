import { FunctionError, metadata, type Plugin } from '../../../functions/kit/index.ts';
import type { Arrivals } from './arrivals.ts';

/** One bucket with fixed times; the bucket `s3://broken` cannot be read. */
export function metadataPlugin(arrivals: Arrivals): Plugin<object> {
  const arrived = (rpc: string, input: { readonly storageId: string }) => {
    arrivals.add(rpc, input);
    if (input.storageId === 's3://broken') throw new FunctionError('unavailable', 'no database');
  };
  return metadata<object>({
    setModificationTime: (file) => arrived('SetModificationTime', file),
    getModificationTime(file) {
      arrived('GetModificationTime', file);
      return file.path === '/reports/known.csv' ? 1_697_040_000_123n : undefined;
    },
    getModificationTimes(folder) {
      arrived('GetModificationTimes', folder);
      return { 'known.csv': 1_697_040_000_123n, ü: 0n };
    },
    removeMetadata: (file) => arrived('RemoveMetadata', file),
    getFolders(page) {
      arrived('GetFolders', page);
      return ['/reports', '/reports/2026'].filter((folder) => folder > page.from).slice(0, page.limit);
    },
  });
}
