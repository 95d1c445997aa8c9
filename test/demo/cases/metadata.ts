import { deepEqual, equal } from 'node:assert/strict';
import type { Case } from '../board.ts';

const storageId = 's3://team-files';
const time = 1_790_000_000_000n;

/** Modification times of files on cloud storage: SFTPGo up to 2.5.6. */
export const metadataCases: readonly Case[] = [
  {
    rpc: 'SetModificationTime',
    name: 'of a file',
    fields: () => ({ storageId, objectPath: '/reports/june.pdf', modificationTime: time }),
    expect: 'ok',
  },
  {
    rpc: 'GetModificationTime',
    name: 'of the file',
    fields: () => ({ storageId, objectPath: '/reports/june.pdf' }),
    expect: 'ok',
    check: (output) => equal(output['modificationTime'], time),
  },
  {
    rpc: 'GetModificationTime',
    name: 'of an unknown file',
    fields: () => ({ storageId, objectPath: '/reports/none.pdf' }),
    expect: 'not found',
  },
  {
    rpc: 'GetModificationTimes',
    name: 'of a folder',
    fields: () => ({ storageId, folderPath: '/reports' }),
    expect: 'ok',
    check: (output) => deepEqual(output['pairs'], { 'june.pdf': time }),
  },
  {
    rpc: 'GetFolders',
    name: 'all',
    fields: () => ({ storageId, limit: 100, from: '' }),
    expect: 'ok',
    check: (output) => deepEqual(output['folders'], ['/reports']),
  },
  {
    rpc: 'RemoveMetadata',
    name: 'of the file',
    fields: () => ({ storageId, objectPath: '/reports/june.pdf' }),
    expect: 'ok',
  },
];
