import { PluginError } from '../../proto/error.ts';
import type { Lock, LockedFunction } from '../../proto/lock/schema.ts';
import { type BuildManifest, readManifest } from '../build/manifest.ts';
import { readLockFile, writeLock } from '../lock/write.ts';
import type { Cloud, DeployFunction, Published, Report } from './cloud.ts';
import { entryOf } from './entry.ts';
import { isSamePlace } from './place.ts';
import type { CloudTarget, ProjectFunction } from './project.ts';
import { type DeployedRow, rowOf } from './result.ts';

/** What every deploying command works with. */
export interface DeployContext {
  /** Which functions, in the order of the project. */
  readonly functions: readonly ProjectFunction[];
  readonly lockFile: string;
  readonly signerFile: string;
  /** Further keys that may have sealed the lock that is there. */
  readonly trustFile?: string | undefined;
  /** Opens a cloud, once a run: with its tools and its credentials. */
  readonly cloud: (target: CloudTarget) => Cloud | Promise<Cloud>;
  /** Lines of progress. */
  readonly report: Report;
}

/** How a run ended. */
export interface DeployResult {
  /** Of the lock now. */
  readonly seq: number;
  /** Was a new lock written, which the host has yet to get? */
  readonly written: boolean;
  /** Functions whose lock has an old and a new version: `--resume` goes on with them. */
  readonly waiting: readonly string[];
  readonly functions: readonly DeployedRow[];
  /** What the reader must know before the next step: of functions that were left as they are. */
  readonly remarks?: readonly string[];
}

/**
 * `deploy`: lock first, traffic second.
 *
 * Checks the builds, publishes each function and reads it back, then writes one lock that accepts what it accepted
 * before and what is new, also where address, type or handles changed. There it stops, so that the host can take the
 * lock, unless nothing gets calls yet that could be shifted: a first deployment is complete with its lock, and so is one
 * in another place.
 *
 * Every step looks at what is there and can be done again: a run that was interrupted is completed by the next one.
 *
 * @throws PluginError INPUT_INVALID when a build is missing or not what its manifest says, or another command changed
 * the same function in the lock meanwhile; LOCK_INVALID; what {@link Cloud.publish} throws
 */
export async function deployFunctions(
  context: DeployContext & { readonly outDir: string },
): Promise<DeployResult> {
  const { report } = context;
  const before = await readLockFile(context);
  const functions = await withBuilds(context, before);
  report(`${functions.length} ${functions.length === 1 ? 'build is' : 'builds are'} what the manifests say`);
  await prepareAll(context, functions);
  const published: [DeployFunction, Published][] = [];
  for (const fn of functions) {
    report(`${fn.id}: publishing on ${fn.target}`);
    published.push([fn, await (await context.cloud(fn.target)).publish(fn, report)]);
  }
  const entries: [DeployFunction, LockedFunction][] = [];
  for (const [fn, one] of published) entries.push([fn, await entryOf(context, fn, one)]);
  for (const [fn, entry] of entries) {
    if (fn.locked === undefined || fn.locked.address === entry.address) continue;
    // a host that takes the lock calls the new address at once, and one that has not yet the old one
    if (isSamePlace(fn.locked, entry)) await (await context.cloud(fn.target)).addAddress?.(fn, entry, report);
  }
  const changed = entries.filter(([fn, entry]) => !isSame(fn.locked, entry));
  const lock = await lockWith(
    context,
    before,
    Object.fromEntries(changed.map(([fn, entry]) => [fn.id, entry])),
  );
  const rows: DeployedRow[] = [];
  for (const [fn, entry] of entries) {
    const isWaiting = entry.accepts.length > 1;
    // nothing that a lock accepts gets other calls: on a first deployment, in a new place, or where that was cut short
    if (!isWaiting) await shiftWholly(context, fn, entry);
    rows.push(rowOf(fn, entry, isWaiting ? 'waiting' : 'live'));
  }
  return resultOf(lock, changed.length > 0, rows);
}

/**
 * `deploy --dry-run`: what a deployment would do, by name of function. Changes nothing.
 */
export async function planFunctions(
  context: DeployContext & { readonly outDir: string },
): Promise<Readonly<Record<string, readonly string[]>>> {
  const functions = await withBuilds(context, await readLockFile(context));
  await prepareAll(context, functions);
  const plans: Record<string, readonly string[]> = {};
  for (const fn of functions) {
    const accepted = fn.locked?.accepts.map(({ version }) => version) ?? [];
    const locked = accepted.length === 0 ? 'not in the lock yet' : `the lock accepts ${accepted.join(', ')}`;
    plans[fn.id] = [locked, ...(await (await context.cloud(fn.target)).plan(fn))];
  }
  return plans;
}

/**
 * Writes what changed into the lock. The lock is read again right before: if one of these functions is not as it was
 * at the start of the run, somebody else deployed it, and nothing is written.
 */
export async function lockWith(
  context: DeployContext,
  before: Lock | undefined,
  changed: Lock['functions'],
): Promise<Lock> {
  if (before !== undefined && Object.keys(changed).length === 0) return before;
  const lock = await writeLock(context, (now) => {
    for (const id of Object.keys(changed)) {
      if (isSame(before?.functions[id], now[id])) continue;
      throw new PluginError('INPUT_INVALID', {
        happened: `${context.lockFile}: another command changed ${id} while this one ran`,
        expected: 'one deployment of a function at a time',
        remedy: 'Look at what it deployed (git log, lock diff), and run this again.',
      });
    }
    return { ...now, ...changed };
  });
  context.report(`${context.lockFile}: sealed with seq ${lock.seq}, kept as locks/${lock.seq}.json`);
  return lock;
}

/** Gives all calls to the last version of an entry, and looks that it is so. */
export async function shiftWholly(
  { cloud, report }: DeployContext,
  fn: ProjectFunction,
  entry: LockedFunction,
): Promise<void> {
  const target = await cloud(fn.target);
  const version = lastOf(entry).version;
  await target.shift(fn, entry, version, { report });
  const traffic = await target.traffic(fn, entry);
  if (traffic.every((one) => one.version === version) && traffic.length > 0) return;
  throw new PluginError('DRIFT', {
    happened: `${fn.id}: ${traffic.map((one) => `${one.version} has ${one.percent} %`).join(', ') || 'nothing'} of the calls`,
    expected: `all of them for ${version}`,
    remedy: 'Somebody else may have deployed at the same time: look who, and run it again.',
  });
}

/** The version of an entry that is last, and so the one that calls are to go to. */
export function lastOf({ accepts }: LockedFunction): LockedFunction['accepts'][number] {
  const last = accepts.at(-1);
  if (last !== undefined) return last;
  throw new PluginError('INTERNAL', {
    happened: 'an entry of the lock accepts no version',
    expected: 'at least one',
    remedy: 'Report this.',
  });
}

/** Do two entries say the same, in whatever order their keys stand? */
export function isSame(a: LockedFunction | undefined, b: LockedFunction | undefined): boolean {
  return canonical(a) === canonical(b);
}

export function resultOf(lock: Lock, written: boolean, functions: readonly DeployedRow[]): DeployResult {
  const waiting = functions.filter(({ state }) => state === 'waiting').map((row) => row.function);
  return { seq: lock.seq, written, waiting, functions };
}

async function withBuilds(
  { functions, outDir }: DeployContext & { readonly outDir: string },
  before: Lock | undefined,
): Promise<DeployFunction[]> {
  const manifests = await Promise.all(
    functions.map(async ({ name }): Promise<BuildManifest> => await readManifest(outDir, name)),
  );
  return functions.map((fn, index) => ({
    ...fn,
    builtIn: outDir,
    manifest: manifests[index] as BuildManifest,
    locked: before?.functions[fn.id],
  }));
}

async function prepareAll({ cloud }: DeployContext, functions: readonly DeployFunction[]): Promise<void> {
  for (const target of new Set(functions.map((fn) => fn.target))) {
    await (await cloud(target)).prepare?.(functions.filter((fn) => fn.target === target));
  }
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
