import { PluginError } from '../../proto/error.ts';
import type { Lock, LockedFunction } from '../../proto/lock/schema.ts';
import { isCutOff, keptSeqs } from '../lock/kept.ts';
import { readKeptLock } from '../lock/write.ts';
import { type DeployContext, type DeployResult, lastOf, lockWith, resultOf } from './flow.ts';
import { isSamePlace } from './place.ts';
import type { ProjectFunction } from './project.ts';
import { rowOf } from './result.ts';
import { lockedEntries } from './resume.ts';

/**
 * `rollback`: a new lock, with a higher seq, in which an older version comes last again. What is accepted now stays
 * accepted until `deploy --resume`, as in every deployment.
 *
 * The older version is taken from a lock that was sealed then (`locks/<seq>.json`): the one with seq `to`, or else for
 * each function the newest in which another version came last. It is read back from the cloud and compared first. What
 * is kept there and is no sealed lock at all is passed over, with a line that says so. Without `to`, a function whose
 * lock waits for an older version stays as it is, with a remark in the result: the command was interrupted and is run
 * again, or that older version was deployed.
 *
 * @throws PluginError LOCK_INVALID when that lock was not kept, INPUT_INVALID when it does not have the function
 * there or the version signs with a key that was replaced since, DRIFT when it is gone or not what that lock says
 */
export async function rollbackFunctions(context: RollbackContext): Promise<DeployResult> {
  const { lock, entries } = await lockedEntries(context);
  const changed: Lock['functions'] = {};
  const remarks: string[] = [];
  for (const [fn, entry] of entries) {
    const newer = await leftBehind(context, lock.seq, fn, entry);
    if (newer !== undefined) {
      const { version } = lastOf(entry);
      context.report(`${fn.id}: goes back to version ${version} already; --to goes elsewhere`);
      remarks.push(
        `${fn.id} waits for version ${version} already, an older one than ${newer}: deploy --resume completes that; rollback --to SEQ goes elsewhere`,
      );
      continue;
    }
    const { seq, old } = await olderEntry(context, lock.seq, fn, entry);
    const accepted = lastOf(old);
    if (accepted.version === lastOf(entry).version) {
      context.report(`${fn.id}: version ${accepted.version} of seq ${seq} is the one that comes last now`);
      continue;
    }
    const cloud = await context.cloud(fn.target);
    await cloud.readBack(fn, old, accepted);
    context.report(`${fn.id}: version ${accepted.version} of seq ${seq} is there, as that lock says`);
    checkKeys(
      entry,
      await cloud.keysOf(fn, old, accepted, context.report),
      `${fn.id}: version ${accepted.version} of seq ${seq}`,
    );
    const kept = entry.accepts.filter(({ version }) => version !== accepted.version);
    // what the function is and answers is the older code's matter again
    changed[fn.id] = { ...entry, type: old.type, handles: old.handles, accepts: [...kept, accepted] };
  }
  const after = await lockWith(context, lock, changed);
  const rows = entries.map(([fn, entry]) => {
    const now = changed[fn.id] ?? entry;
    return rowOf(fn, now, now.accepts.length > 1 ? 'waiting' : 'live');
  });
  const result = resultOf(after, Object.keys(changed).length > 0, rows);
  return remarks.length === 0 ? result : { ...result, remarks };
}

/** A key that was replaced left the lock for good: it may be in other hands. */
function checkKeys(entry: LockedFunction, signsWith: LockedFunction['keys'], version: string): void {
  if (signsWith.every((key) => entry.keys.some(({ x }) => x === key.x))) return;
  throw new PluginError('INPUT_INVALID', {
    happened: `${version} signs with a key that has left the lock`,
    expected: 'a version that signs with a key of the lock',
    remedy: 'Build and deploy the older code again: then it signs with the key of now.',
  });
}

type RollbackContext = DeployContext & { readonly to?: number | undefined };

/** A function as an older lock has it. */
interface OlderEntry {
  readonly seq: number;
  readonly old: LockedFunction;
}

async function olderEntry(
  context: RollbackContext,
  seqNow: number,
  fn: ProjectFunction,
  entry: LockedFunction,
): Promise<OlderEntry> {
  const seqs = context.to === undefined ? await seqsBefore(context, seqNow) : [context.to];
  for await (const older of keptEntries(context, seqs, fn, entry)) {
    if (context.to !== undefined || lastOf(older.old).version !== lastOf(entry).version) return older;
  }
  throw new PluginError('INPUT_INVALID', {
    happened:
      context.to === undefined
        ? `no kept lock has another version of ${fn.id} at ${entry.address}`
        : `the lock with seq ${context.to} has no ${fn.id} at ${entry.address}`,
    expected: 'locks/<seq>.json of an earlier deployment to the same place',
    remedy: 'Look with `lock show locks/<seq>.json`; or build and deploy the older code again.',
  });
}

/**
 * The newest version that is accepted, where the lock waits for an older one already; else undefined. It does so when
 * this command was interrupted after it had sealed the lock, or is run twice, or older code was deployed: of the versions
 * that are accepted, the last one is not the one that came last latest. Locks are looked at from the newest to the first
 * that cannot be opened: those before a change of the signer may be.
 */
async function leftBehind(
  context: RollbackContext,
  seqNow: number,
  fn: ProjectFunction,
  entry: LockedFunction,
): Promise<string | undefined> {
  if (context.to !== undefined || entry.accepts.length === 1) return undefined;
  const accepted = new Set(entry.accepts.map(({ version }) => version));
  const latestFirst: string[] = [];
  try {
    for await (const { old } of keptEntries(context, await seqsBefore(context, seqNow), fn, entry)) {
      latestFirst.push(lastOf(old).version);
    }
  } catch (error) {
    if (!(error instanceof PluginError) || error.code !== 'LOCK_INVALID') throw error;
    context.report(`${fn.id}: what was accepted last is looked up in newer locks alone: ${error.happened}`);
  }
  const inOrder = new Set(latestFirst.reverse().filter((version) => accepted.has(version)));
  const { version } = lastOf(entry);
  const newest = [...inOrder].at(-1);
  return inOrder.has(version) && newest !== version ? newest : undefined;
}

/** The newest first. */
async function seqsBefore({ lockFile }: DeployContext, seqNow: number): Promise<number[]> {
  return (await keptSeqs(lockFile)).filter((seq) => seq < seqNow).reverse();
}

async function* keptEntries(
  context: RollbackContext,
  seqs: readonly number[],
  fn: ProjectFunction,
  entry: LockedFunction,
): AsyncGenerator<OlderEntry> {
  for (const seq of seqs) {
    if (context.to === undefined && (await isCutOff(context.lockFile, seq))) {
      context.report(`${fn.id}: locks/${seq}.json is no sealed lock, cut off perhaps: passed over`);
      continue;
    }
    const old = (await readKeptLock(context, seq)).functions[fn.id];
    const isThere = old !== undefined && isSamePlace(old, entry) && old.address === entry.address;
    if (isThere) yield { seq, old };
  }
}
