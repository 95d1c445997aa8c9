import { nearest } from '../../adapter/config/nearest.ts';
import { PluginError } from '../../proto/error.ts';
import type { Lock, LockedFunction } from '../../proto/lock/schema.ts';
import { changeFunction } from './change-function.ts';
import { lockText } from './kept.ts';
import { type LockFiles, writeLock } from './write.ts';

/** A lock without a function, and what it said of it. */
export interface Removed {
  readonly lock: Lock;
  readonly entry: LockedFunction;
}

/**
 * Takes one function (`name@stage`) out of a lock, with its versions and its keys, and writes the lock with the next
 * seq. Without its last function it is a lock like any other: hosts that take it refuse every call.
 *
 * Throws INPUT_INVALID when the lock does not have it, LOCK_INVALID when there is no lock; else as {@link writeLock}.
 */
export async function removeFunction(
  files: LockFiles,
  name: string,
  options: { readonly lifeDays?: number | undefined } = {},
): Promise<Removed> {
  if ((await lockText(files.lockFile)) === undefined) {
    throw new PluginError('LOCK_INVALID', {
      happened: `there is no ${files.lockFile}`,
      expected: 'the lock that the function is taken out of',
      remedy: 'Name it with --lock, or run this in the folder of the project.',
    });
  }
  let entry: LockedFunction | undefined;
  const lock = await writeLock(
    files,
    (functions) => {
      entry = entryIn(functions, name, files.lockFile);
      return changeFunction(functions, name, undefined);
    },
    options,
  );
  if (entry === undefined) throw new Error(`${name} was not looked for`);
  return { lock, entry };
}

function entryIn(functions: Lock['functions'], name: string, lockFile: string): LockedFunction {
  const entry = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (entry !== undefined) return entry;
  const known = Object.keys(functions).sort();
  const bare = (full: string) => full.replace(/@.*/, '');
  const near = nearest(bare(name), known.map(bare));
  const meant = known.find((full) => bare(full) === near);
  throw new PluginError('INPUT_INVALID', {
    happened: `${lockFile} has no function ${name}`,
    expected:
      known.length === 0 ? 'a lock with a function in it: this one has none' : `one of ${known.join(', ')}`,
    remedy: meant === undefined ? 'Correct the name, or its @stage.' : `Did you mean ${meant}?`,
  });
}
