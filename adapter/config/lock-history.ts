import { randomUUID } from 'node:crypto';
import { chown, mkdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { PluginError } from '../../proto/error.ts';
import { readTextFile } from './read-file.ts';
import { writeFileAtomically } from './write-file.ts';

const history = z.object({
  seq: z.int().min(0),
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  reset: z.uuid().optional(),
});

/** The lock that a role accepted last. */
export interface AcceptedLock {
  /** 0: none yet. */
  readonly seq: number;
  /** SHA-256 (hex) of its payload, so that a seq means one content; unknown from a state file that had none. */
  readonly digest?: string | undefined;
  /** The last `lock reset-seq`, by a random id: a process that does not know it forgets what it remembers itself. */
  readonly reset?: string | undefined;
}

/** Nothing was accepted yet. */
export const noneAccepted: AcceptedLock = { seq: 0 };

/** Where a role keeps what it accepted. */
export function historyPath(folder: string, type: string): string {
  return join(folder, `${type}.lock-seq.json`);
}

/**
 * The last lock that a role accepted, over restarts.
 *
 * Throws CONFIG_INVALID when the state folder cannot be used: without it, an old lock could come back unnoticed.
 */
export async function lastAccepted(folder: string, type: string): Promise<AcceptedLock> {
  const path = historyPath(folder, type);
  try {
    const made = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (made !== undefined) {
      const folders: string[] = [];
      for (let at = resolve(folder); at.length >= made.length; at = dirname(at)) folders.unshift(at);
      await giveToOwnerOf(dirname(made), ...folders);
    }
    const { text } = await readTextFile(path, {
      code: 'CONFIG_INVALID',
      what: 'the state file',
      exposure: 'public',
      maxBytes: 4096,
    });
    return history.parse(JSON.parse(text));
  } catch (cause) {
    if (cause instanceof PluginError && Object(cause.cause).code === 'ENOENT') return noneAccepted;
    throw unusable(path, cause);
  }
}

/**
 * Remembers an accepted lock, atomically, and never goes back: returns the highest that any process of the role has
 * accepted. SFTPGo's `resetpwd` starts a second process beside the one that serves.
 *
 * Throws CONFIG_INVALID when the state folder cannot be written.
 */
export async function rememberLock(
  folder: string,
  type: string,
  { seq, digest }: AcceptedLock,
): Promise<AcceptedLock> {
  return await changing(folder, type, async (save) => {
    const accepted = await lastAccepted(folder, type);
    // a file of an older release names no content: the first lock with its seq gives it one
    if (accepted.seq > seq || (accepted.seq === seq && accepted.digest !== undefined)) return accepted;
    return await save({ ...accepted, seq, digest });
  });
}

/**
 * Sets what a role remembers, whatever that was: `lock reset-seq`. A running adapter takes it over as well. Throws
 * CONFIG_INVALID when the state folder cannot be written.
 */
export async function resetAccepted(
  folder: string,
  type: string,
  { seq, digest }: AcceptedLock,
): Promise<AcceptedLock> {
  return await changing(folder, type, async (save) => await save({ seq, digest, reset: randomUUID() }));
}

/** Runs `change` while no other process changes what the role remembers. */
async function changing(
  folder: string,
  type: string,
  change: (save: (accepted: AcceptedLock) => Promise<AcceptedLock>) => Promise<AcceptedLock>,
): Promise<AcceptedLock> {
  const path = historyPath(folder, type);
  try {
    return await alone(`${path}.busy`, () =>
      change(async (accepted) => {
        await writeFileAtomically(path, `${JSON.stringify(accepted)}\n`, 0o600);
        await giveToOwnerOf(folder, path);
        return accepted;
      }),
    );
  } catch (cause) {
    if (cause instanceof PluginError) throw cause;
    throw unusable(path, cause);
  }
}

/** One small file is read and written meanwhile: a mark older than this was left by a process that was killed. */
const leftBehindMs = 2000;
const pauseMs = 10;

/** Runs `work` while no other process does so under the same mark. */
export async function alone<T>(mark: string, work: () => Promise<T>): Promise<T> {
  const nameOfMine = await claim(mark);
  try {
    return await work();
  } finally {
    // not one that another process has made since, because this one was stopped in between
    const now = await readFile(mark, 'utf8').catch(() => undefined);
    if (now === nameOfMine) await unlink(mark).catch(() => undefined);
  }
}

async function claim(mark: string): Promise<string> {
  const mine = randomUUID();
  for (;;) {
    try {
      await writeFile(mark, mine, { flag: 'wx', mode: 0o600 });
      return mine;
    } catch (error) {
      if (Object(error).code !== 'EEXIST') throw error;
    }
    const made = await stat(mark).catch(() => undefined);
    if (made !== undefined && Math.abs(Date.now() - made.mtimeMs) > leftBehindMs) {
      await unlink(mark).catch((error: unknown) => {
        if (Object(error).code !== 'ENOENT') throw error;
      });
    } else {
      await sleep(pauseMs);
    }
  }
}

/** What root writes on the command line (`verify`, `call`) must stay usable for the user that runs SFTPGo. */
export async function giveToOwnerOf(model: string, ...paths: readonly string[]): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(model);
  for (const path of paths) await chown(path, uid, gid);
}

function unusable(path: string, cause: unknown): PluginError {
  return new PluginError('CONFIG_INVALID', {
    happened: `the state file ${path} cannot be used (${reasonOf(cause)})`,
    expected: 'a folder that the SFTPGo user can write (`state`), with files as the adapter left them',
    remedy: 'Correct its owner and mode, or move a damaged file away.',
    cause,
  });
}

/** The same text for the same problem: an error of the file system names a temporary file, another one each time. */
function reasonOf(cause: unknown): string {
  if (cause instanceof PluginError) return cause.happened;
  const { code } = Object(cause);
  return typeof code === 'string' ? code : 'it is not what the adapter wrote';
}
