import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PluginError } from '../../proto/error.ts';
import { keptPath, lockText } from './kept.ts';
import { takeTurn } from './turn.ts';

/** A sealed lock on its way into its place. */
export interface SealedLock {
  /** The text of the lock that it was made from, as it was read; undefined where there was none. */
  readonly before: string | undefined;
  readonly sealed: string;
  readonly seq: number;
  /** Its copy: `new`, or in the place of the same content with other signatures (`again`), or none is `left` to keep. */
  readonly copy: 'new' | 'again' | 'none';
}

/**
 * Puts a sealed lock and its copy in place of the lock that it was made from. Of two commands at once, one is told to
 * run again, and has changed nothing. Whenever it is killed, each of both files is the old one or the new one.
 *
 * Throws INPUT_INVALID when the lock is not the one any more that this one was made from, or its seq was given meanwhile.
 */
export async function replaceLock(lockFile: string, lock: SealedLock): Promise<void> {
  const { before, sealed, seq, copy } = lock;
  const kept = keptPath(lockFile, seq);
  await mkdir(dirname(kept), { recursive: true });
  // two files of one text, not one with two names: what is written over the lock in place must not change its copy
  const turn = await takeTurn(join(dirname(kept), '.writing'), {
    lock: sealed,
    ...(copy === 'none' ? {} : { copy: sealed }),
  });
  try {
    if ((await lockText(lockFile)) !== before) throw writtenMeanwhile(lockFile);
    if (copy === 'new' && existsSync(kept)) throw writtenMeanwhile(kept);
    // the copy first: a seq that was given stays given, also when this is interrupted
    if (copy !== 'none') await turn.put('copy', kept);
    await turn.put('lock', lockFile);
  } finally {
    await turn.end();
  }
}

function writtenMeanwhile(path: string): PluginError {
  return new PluginError('INPUT_INVALID', {
    happened: `${path} was written by another command at the same moment`,
    expected: 'one command at a time',
    remedy: 'Run it again.',
  });
}
