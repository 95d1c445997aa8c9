import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readTextFile } from '../../adapter/config/read-file.ts';
import { PluginError } from '../../proto/error.ts';
import { maxLockBytes, parseEnvelope } from '../../proto/lock/open.ts';

/** The path under which the sealed lock of a seq is kept. */
export function keptPath(lockFile: string, seq: number): string {
  return join(dirname(lockFile), 'locks', `${seq}.json`);
}

/** Which seqs are kept, ascending. */
export async function keptSeqs(lockFile: string): Promise<number[]> {
  const names = await readdir(dirname(keptPath(lockFile, 0))).catch((error: unknown) => {
    if (Object(error).code === 'ENOENT') return [];
    throw error;
  });
  const seqs = names.map((name) => /^([1-9]\d{0,14})\.json$/.exec(name)?.[1]);
  return seqs
    .filter((seq) => seq !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

/**
 * Is what is kept under a seq no sealed lock at all, whoever may have sealed it? So it is when a release that did not
 * write it at once was killed: it never was the project's lock. Throws LOCK_INVALID when it cannot be read.
 */
export async function isCutOff(lockFile: string, seq: number): Promise<boolean> {
  const path = keptPath(lockFile, seq);
  const text = await readLockText(path);
  try {
    parseEnvelope(text, path);
    return false;
  } catch (error) {
    if (error instanceof PluginError) return true;
    throw error;
  }
}

/** The text of a lock file, sealed or not: read safely, whoever may write it (git gives it the mode of the umask). */
export async function readLockText(path: string): Promise<string> {
  const { text } = await readTextFile(path, {
    code: 'LOCK_INVALID',
    what: 'the lock',
    exposure: 'any',
    maxBytes: maxLockBytes,
  });
  return text;
}

/** {@link readLockText}; undefined where there is none yet. */
export async function lockText(path: string): Promise<string | undefined> {
  return existsSync(path) ? await readLockText(path) : undefined;
}
