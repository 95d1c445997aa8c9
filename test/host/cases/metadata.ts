import type { HostKind } from '../build.ts';
import type { RpcCase } from './case.ts';

const storageId = 's3://https://s3.example.com/bucket';
const broken = 's3://broken';
const path = '/reports/known.csv';

/** The five RPCs of metadata, which the newest SDK has no more. */
export function metadataCases(kind: HostKind): readonly RpcCase[] {
  if (kind === 'new') return [];
  return [
    {
      rpc: 'SetModificationTime',
      method: 'SetModificationTime',
      accepted: [
        {
          args: [storageId, path, 9_007_199_254_740_993n],
          arrives: { storageId, path, modificationTimeMs: 9_007_199_254_740_993n },
        },
      ],
      refused: [{ args: [broken, path, 1], code: 'Unavailable' }],
    },
    {
      rpc: 'GetModificationTime',
      method: 'GetModificationTime',
      accepted: [
        { args: [storageId, path], arrives: { storageId, path }, returns: [1_697_040_000_123] },
        // the SDK makes its own error of NotFound, which SFTPGo knows: "use the storage's time"
        { args: [storageId, '/unknown'], arrives: { storageId, path: '/unknown' }, code: 'Unknown' },
      ],
      refused: [{ args: [broken, path], code: 'Unavailable' }],
    },
    {
      rpc: 'GetModificationTimes',
      method: 'GetModificationTimes',
      accepted: [
        {
          args: [storageId, '/reports'],
          arrives: { storageId, folder: '/reports' },
          returns: [{ 'known.csv': 1_697_040_000_123, ü: 0 }],
        },
      ],
      refused: [{ args: [broken, '/'], code: 'Unavailable' }],
    },
    {
      rpc: 'RemoveMetadata',
      method: 'RemoveMetadata',
      accepted: [{ args: [storageId, path], arrives: { storageId, path } }],
      refused: [{ args: [broken, path], code: 'Unavailable' }],
    },
    {
      rpc: 'GetFolders',
      method: 'GetFolders',
      accepted: [
        {
          args: [storageId, 1, ''],
          arrives: { storageId, limit: 1, from: '' },
          returns: [['/reports']],
        },
        {
          args: [storageId, 0, '/reports'],
          arrives: { storageId, limit: undefined, from: '/reports' },
          returns: [['/reports/2026']],
        },
      ],
      refused: [{ args: [broken, 100, ''], code: 'Unavailable' }],
    },
  ];
}
