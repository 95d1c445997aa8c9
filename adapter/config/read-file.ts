import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { type ErrorCode, PluginError } from '../../proto/error.ts';

/** Who else may touch a file: docs/security.md, "Files". */
export type Exposure =
  /** A sealed lock in an author's project: git gives it the mode of the umask, and its seal protects it. */
  | 'any'
  /** Config, lock, trust: not writable by group or others. */
  | 'public'
  /** Private keys: moreover not readable by others. A group may read: Kubernetes and systemd hand over keys so. */
  | 'secret';

const forbidden: Readonly<Record<Exposure, number>> = { any: 0, public: 0o022, secret: 0o026 };

/** Identity of a file's content for polling: changes whenever the file is replaced or written. */
export interface FileStamp {
  readonly path: string;
  readonly stamp: string;
}

export interface ReadOptions {
  /** Code of every error thrown, but for exposed secrets: KEY_FILE_EXPOSED. */
  readonly code: ErrorCode;
  /** What the file is, for messages: `the lock`. */
  readonly what: string;
  readonly exposure: Exposure;
  readonly maxBytes: number;
}

/**
 * Reads one small text file safely: never blocks on a FIFO, never reads a device or a file without end, refuses
 * a file that others could have written.
 *
 * Returns the text (UTF-8) and its stamp. Throws `options.code`, or KEY_FILE_EXPOSED for a secret with open modes.
 */
export async function readTextFile(
  path: string,
  options: ReadOptions,
): Promise<{ text: string; stamp: FileStamp }> {
  const { code, what, exposure, maxBytes } = options;
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new PluginError(code, {
      happened: `${what} ${path} cannot be read (${reason})`,
      expected: 'a file that the SFTPGo user can read',
      remedy: reason === 'ENOENT' ? 'Create it, or correct the path.' : 'Correct its owner and mode.',
      cause,
    });
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile() || stat.size > maxBytes) {
      throw new PluginError(code, {
        happened: `${what} ${path} is ${stat.isFile() ? `${stat.size} bytes long` : 'not a regular file'}`,
        expected: `a regular file of at most ${maxBytes} bytes`,
        remedy: 'Put the real file there.',
      });
    }
    const open = stat.mode & forbidden[exposure];
    if (open !== 0) {
      throw new PluginError(exposure === 'secret' ? 'KEY_FILE_EXPOSED' : code, {
        happened: `${what} ${path} has mode ${(stat.mode & 0o777).toString(8).padStart(4, '0')}`,
        expected:
          exposure === 'secret'
            ? 'a file that others cannot read or write'
            : 'a file only its owner can write',
        remedy: `Run: chmod ${exposure === 'secret' ? '0400' : '0644'} ${path}`,
      });
    }
    const buffer = Buffer.alloc(maxBytes + 1);
    let length = 0;
    while (length <= maxBytes) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > maxBytes) {
      throw new PluginError(code, {
        happened: `${what} ${path} grew past ${maxBytes} bytes while it was read`,
        expected: `at most ${maxBytes} bytes`,
        remedy: 'Put the real file there.',
      });
    }
    return { text: buffer.toString('utf8', 0, length), stamp: { path, stamp: stampOf(stat) } };
  } finally {
    await handle.close();
  }
}

/**
 * The stamp of a stat: two equal stamps of one path mean an unchanged file. With ctime, since tools that unpack
 * archives set mtime back, sizes of locks and keys repeat, and file systems use an inode again at once.
 */
export function stampOf(stat: { ino: number; size: number; mtimeMs: number; ctimeMs: number }): string {
  return `${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}`;
}
