import { PluginError } from '../../proto/error.ts';
import type { Lock, LockedFunction } from '../../proto/lock/schema.ts';
import { readLockFile } from '../lock/write.ts';
import {
  type DeployContext,
  type DeployResult,
  isSame,
  lastOf,
  lockWith,
  resultOf,
  shiftWholly,
} from './flow.ts';
import type { ProjectFunction } from './project.ts';
import { rowOf } from './result.ts';

/**
 * `deploy --resume`, after the host has the lock with old and new: gives the calls to the new version, and writes the
 * lock without the old versions, and without keys that the new one does not sign with. With `percent` below 100, the new
 * version gets that share and the lock stays.
 *
 * Functions that wait for nothing are looked at as well: their calls go to the one version in the lock.
 *
 * @throws PluginError LOCK_INVALID without a lock, INPUT_INVALID for a function that was never deployed; what
 * {@link Cloud.shift} throws
 */
export async function resumeFunctions(
  context: DeployContext & { readonly percent?: number | undefined },
): Promise<DeployResult> {
  const { lock, entries } = await lockedEntries(context);
  const isPart = context.percent !== undefined && context.percent < 100;
  const changed: Lock['functions'] = {};
  for (const [fn, entry] of entries) {
    const { percent, report } = context;
    const cloud = await context.cloud(fn.target);
    const last = lastOf(entry);
    if (isPart) {
      const share = { ...(percent ? { percent } : {}), report };
      if (entry.accepts.length > 1) await cloud.shift(fn, entry, last.version, share);
      continue;
    }
    const keys = await cloud.keysOf(fn, entry, last, report);
    await shiftWholly(context, fn, entry);
    const alone = { ...entry, accepts: [last], keys };
    if (isSame(entry, alone)) continue;
    changed[fn.id] = alone;
    if (keys.length < entry.keys.length) report(`${fn.id}: a key that was replaced leaves the lock`);
  }
  const after = await lockWith(context, lock, changed);
  const rows = entries.map(([fn, entry]) => {
    const isWaiting = isPart && entry.accepts.length > 1;
    return rowOf(fn, changed[fn.id] ?? entry, isWaiting ? 'waiting' : 'live');
  });
  return resultOf(after, Object.keys(changed).length > 0, rows);
}

/**
 * The lock, and the entries in it of the functions that a command is about.
 *
 * @throws PluginError LOCK_INVALID, INPUT_INVALID
 */
export async function lockedEntries(context: DeployContext): Promise<{
  readonly lock: Lock;
  readonly entries: readonly (readonly [ProjectFunction, LockedFunction])[];
}> {
  const lock = await readLockFile(context);
  if (lock === undefined) {
    throw new PluginError('LOCK_INVALID', {
      happened: `there is no ${context.lockFile}`,
      expected: 'the lock of an earlier deployment',
      remedy: 'Run deploy first, in the folder of the project.',
    });
  }
  const entries = context.functions.map((fn) => {
    const entry = lock.functions[fn.id];
    if (entry?.target === fn.target) return [fn, entry] as const;
    throw new PluginError('INPUT_INVALID', {
      happened: `${context.lockFile} has no ${fn.id} on ${fn.target}`,
      expected: `one of ${Object.keys(lock.functions).join(', ')}`,
      remedy: 'Deploy it first, or name the functions that are meant.',
    });
  });
  return { lock, entries };
}
