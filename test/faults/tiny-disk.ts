import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A disk of one megabyte that can be filled. */
export interface TinyDisk {
  readonly path: string;
  fill(): Promise<void>;
  /** Makes room again. */
  empty(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Mounts a tmpfs. Undefined where this process may not mount, as in a container without CAP_SYS_ADMIN; with `CI=true`
 * that is an error, so that rows of the matrix do not go missing unseen.
 */
export async function mountTinyDisk(): Promise<TinyDisk | undefined> {
  const path = await mkdtemp(join(tmpdir(), 'tiny-disk-'));
  const filler = join(path, 'filler');
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=755', 'tmpfs', path]);
  } catch (cause) {
    await rm(path, { recursive: true });
    if (process.env['CI'] !== 'true') return undefined;
    throw new Error('a tmpfs cannot be mounted; in CI, run the tests as root with CAP_SYS_ADMIN', { cause });
  }
  return {
    path,
    async fill() {
      await writeFile(filler, Buffer.alloc(2 << 20)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOSPC') throw error;
      });
    },
    empty: () => rm(filler, { force: true }),
    async close() {
      await run('umount', ['-l', path]);
      await rm(path, { recursive: true });
    },
  };
}
