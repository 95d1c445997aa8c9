import { PluginError } from '../../proto/error.ts';
import type { Lock, LockedFunction } from '../../proto/lock/schema.ts';
import { isCutOff, keptSeqs } from '../lock/kept.ts';
import { readKeptLock } from '../lock/write.ts';
import type { DeployFunction, Published } from './cloud.ts';
import type { DeployContext } from './flow.ts';
import { isSamePlace } from './place.ts';

/**
 * The entry of a lock that accepts what was published, and in front of it what may be serving a host until it has this
 * lock: what the lock accepts now, whatever changed of address, type or handles. A function that moved starts anew in its
 * place; only what gets calls there already stays accepted, if an earlier lock accepted it there and it was never taken
 * out of the lock since.
 *
 * @throws PluginError UNREACHABLE
 */
export async function entryOf(
  context: DeployContext,
  fn: DeployFunction,
  { address, accepted, keys }: Published,
): Promise<LockedFunction> {
  const { type, handles } = fn.manifest;
  const entry = { type, target: fn.target, address, handles, accepts: [accepted], keys: [...keys] };
  if (fn.locked === undefined) return entry;
  const before = isSamePlace(fn.locked, entry) ? fn.locked : await calledThere(context, fn, entry);
  const kept = before.accepts.filter(({ version }) => version !== accepted.version);
  if (kept.length === 0) return entry;
  const others = before.keys.filter(({ x }) => !keys.some((key) => key.x === x));
  return { ...entry, accepts: [...kept, accepted], keys: [...others, ...keys] };
}

/**
 * What gets calls in the place of an entry, as the newest lock that had the function there accepted it. Nothing where a
 * later lock lacks the function: it was taken out, and its key may be in other hands. Nothing either behind a lock that
 * cannot be opened, which may be that one.
 */
async function calledThere(
  context: DeployContext,
  fn: DeployFunction,
  entry: LockedFunction,
): Promise<Pick<LockedFunction, 'accepts' | 'keys'>> {
  const traffic = await (await context.cloud(fn.target)).traffic(fn, entry);
  const called = traffic.filter(({ percent }) => percent > 0).map(({ version }) => version);
  const isNew = called.every((version) => entry.accepts.some((one) => one.version === version));
  const seqs = isNew ? [] : (await keptSeqs(context.lockFile)).reverse();
  for (const seq of seqs) {
    const lock = await keptLock(context, seq);
    if (lock === 'cut off') continue;
    if (lock instanceof PluginError) {
      context.report(`${fn.id}: starts anew in this place: ${lock.happened}`);
      break;
    }
    const old = lock.functions[fn.id];
    if (old === undefined) break;
    if (!isSamePlace(old, entry)) continue;
    return { keys: old.keys, accepts: old.accepts.filter(({ version }) => called.includes(version)) };
  }
  return { keys: [], accepts: [] };
}

async function keptLock(context: DeployContext, seq: number): Promise<Lock | 'cut off' | PluginError> {
  try {
    return (await isCutOff(context.lockFile, seq)) ? 'cut off' : await readKeptLock(context, seq);
  } catch (error) {
    if (error instanceof PluginError && error.code === 'LOCK_INVALID') return error;
    throw error;
  }
}
