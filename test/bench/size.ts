import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildFunction } from '../../infra/build/function.ts';
import { type BenchRow, limitRow } from './row.ts';

const root = join(import.meta.dirname, '../..');

/** Sizes of what is shipped: the executable, and the smallest function. */
export async function sizeRows(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  try {
    const entry = join(import.meta.dirname, 'empty-ipfilter.ts');
    const { artifacts } = await buildFunction({ entry, name: 'empty', type: 'ipfilter', outDir: folder });
    const worker = artifacts.find(({ runtime }) => runtime === 'worker');
    const { size } = await stat(join(root, 'dist/sftpgo-plugin-serverless'));
    return [
      limitRow('executable', 'bytes', size, 1_500_000),
      limitRow('empty ipfilter bundle, gzip', 'bytes', worker?.gzipBytes ?? Number.NaN, 14_000),
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}
