import type { Lock, LockedFunction } from '../../proto/lock/schema.ts';
import { changeFunction } from './change-function.ts';
import { type LockFiles, writeLock } from './write.ts';

export interface PutOptions extends LockFiles {
  /** `name@stage`. */
  readonly name: string;
  readonly entry: LockedFunction;
  /** Keep the versions accepted so far, so that old and new may run while traffic shifts. */
  readonly keepOld?: boolean;
  /** Days until the lock expires: 400 when absent; 0: never. */
  readonly lifeDays?: number;
}

/**
 * Writes one function into a lock, new or existing, with the next seq, sealed by one key.
 *
 * Returns the lock. Throws as {@link writeLock}.
 */
export async function putFunction({ name, entry, keepOld, lifeDays, ...files }: PutOptions): Promise<Lock> {
  return await writeLock(
    files,
    (functions) => changeFunction(functions, name, entry, { keepOld: keepOld ?? false }),
    { lifeDays },
  );
}
