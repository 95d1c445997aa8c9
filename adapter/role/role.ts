import { stat } from 'node:fs/promises';
import { PluginError } from '../../proto/error.ts';
import type { LockedFunction } from '../../proto/lock/schema.ts';
import { hasExpired, loadLock, lockExpired } from '../config/load-lock.ts';
import { loadRole, type RoleFiles, type TakenLock } from '../config/load-role.ts';
import type { AcceptedLock } from '../config/lock-history.ts';
import { stampOf } from '../config/read-file.ts';
import type { SectionName } from '../config/schema.ts';
import type { Log } from '../invoke/connection.ts';
import type { RoleFigures } from '../metrics/role-figures.ts';
import { withinDeadline } from '../policies/shared/deadline.ts';
import type { Call, Reply } from '../shapes.ts';
import { type KnownVersions, openKnownVersions } from '../targets/known-versions.ts';
import { createGeneration, type Generation, identityOf } from './generation.ts';

/** How often files are looked at; a key that leaves the lock is out of force after at most this. */
const defaultPollMs = 5000;
/** How often an unmended problem is logged again. */
const repeatMs = 60_000;
/** Longest call (metadata: 80 s) and some: then nothing uses a replaced generation any more. */
const defaultRetireMs = 90_000;
const hourMs = 3_600_000;

export interface RoleOptions<T extends SectionName> {
  readonly type: T;
  readonly configPath: string;
  readonly log: Log;
  /** Told whenever it changes: are calls answered, or is every one refused (files, drift)? For gRPC health. */
  onServing?(serving: boolean): void;
  /** Where a serving role counts and shows itself; `verify` and `call` have none. */
  readonly figures?: RoleFigures;
  /** How often files are looked at, in ms; 5 s when absent. */
  readonly pollMs?: number;
  /** How long a replaced reading is kept for the calls under way, in ms; 90 s when absent. */
  readonly retireMs?: number;
}

/**
 * One plugin type served out of files that may be wrong, missing, and mended at any time.
 *
 * What is wrong at start answers every call with its error until it is mended; what becomes wrong later is logged
 * and the last good reading stays in force (docs/reliability.md, "Files"), as far as the lock that was taken last lists
 * it.
 */
export class Role<T extends SectionName> {
  readonly #options: RoleOptions<T>;
  /** The last good reading; undefined until there was one. */
  #generation: Generation<T> | undefined;
  /** The lock that was taken last, also when the other files were not in order. */
  #accepted: AcceptedLock | undefined;
  /** What is wrong with the files as they are now; undefined when nothing is. */
  #problem: { error: PluginError; loggedAt: number } | undefined;
  /** The reading under way; calls before the first one wait for it. */
  #loading: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Are the files being looked at? */
  #polling = false;
  #expiryLoggedAt = Number.NEGATIVE_INFINITY;
  /** Does this role serve, so that what is deployed is to be watched? */
  #started = false;
  /** What was verified, kept over generations; with the state folder it is for. */
  #known: { folder: string | undefined; versions: KnownVersions } | undefined;
  /** What `onServing` was told last. */
  #serving: boolean | undefined;

  constructor(options: RoleOptions<T>) {
    this.#options = options;
  }

  /** Begins the first reading and the polling; does not wait. */
  start(): void {
    this.#started = true;
    void this.refresh();
    this.#timer = setInterval(() => void this.#poll(), this.#options.pollMs ?? defaultPollMs);
  }

  /** Reads the files again; never throws. */
  async refresh(): Promise<void> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    await this.#loading;
  }

  /** Answers a call, or throws the PluginError that says why not. */
  async handle(call: Call): Promise<Reply> {
    // in time also where a file system hangs
    if (this.#generation === undefined) await withinDeadline(call, async () => await this.#loading);
    if (call.method.name !== 'Reload') return await this.#ask(this.#inForce(), call);
    this.#inForce();
    await withinDeadline(call, () => this.refresh());
    const generation = this.#inForce();
    await generation.reload();
    this.#options.log.info('reloaded: what is remembered is asked again', { type: this.#options.type });
    try {
      return await this.#ask(generation, call);
    } finally {
      // what the function said meanwhile may be what it knew before
      await generation.reload();
    }
  }

  #inForce(): Generation {
    if (this.#generation !== undefined) return this.#generation;
    throw this.#problem?.error ?? notStarted();
  }

  #ask(generation: Generation, call: Call): Promise<Reply> {
    const { section, lockExpires, onExpired } = generation.files;
    if (onExpired === 'refuse' && hasExpired(lockExpires)) throw lockExpired('the lock', lockExpires);
    const { timeout } = section;
    const deadlineMs =
      timeout === undefined ? call.deadlineMs : Math.min(call.deadlineMs, performance.now() + timeout);
    return generation.handle({ ...call, deadlineMs });
  }

  #tellServing(serving: boolean): void {
    if (serving === this.#serving) return;
    this.#serving = serving;
    this.#options.figures?.serving(serving);
    this.#options.onServing?.(serving);
  }

  /** The generation in force, for `verify`; throws what is wrong when there is none. */
  async current(): Promise<Generation> {
    await this.refresh();
    if (this.#problem) throw this.#problem.error;
    return this.#inForce();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#loading;
    await this.#generation?.close();
    // drift that was just seen must be known to the process that comes next
    await this.#known?.versions.settled();
  }

  async #poll(): Promise<void> {
    // a file system that hangs must not take one thread of the pool after the other
    if (this.#polling) return;
    this.#polling = true;
    try {
      await this.#look();
    } finally {
      this.#polling = false;
    }
  }

  async #look(): Promise<void> {
    if (this.#generation === undefined || this.#problem || (await this.#changed(this.#generation))) {
      await this.refresh();
    }
    this.#reportExpiry();
  }

  async #changed({ files }: Generation): Promise<boolean> {
    for (const { path, stamp } of files.stamps) {
      const now = await stat(path).then(stampOf, () => 'missing');
      if (now !== stamp) return true;
    }
    return false;
  }

  async #load(): Promise<void> {
    const { type, configPath, log, figures } = this.#options;
    let taken = false;
    try {
      const files = await loadRole(configPath, type, this.#accepted, (lock) => {
        taken = true;
        this.#take(lock);
      });
      const previous = this.#generation;
      if (previous && identityOf(previous.files) === identityOf(files)) {
        this.#generation = { ...previous, files };
      } else {
        const generation = this.#create(files);
        this.#generation = generation;
        this.#tellServing(true);
        log.info('serving', {
          type,
          function: files.functionName,
          target: files.locked.target,
          seq: String(files.seq),
          evidence: this.#generation.proof,
        });
        if (previous) this.#retire(previous);
        if (this.#started) generation.watch();
      }
      figures?.inForce(this.#generation);
      if (this.#problem) log.info('the files are in order again', { config: configPath });
      this.#problem = undefined;
    } catch (error) {
      if (!taken) await this.#takeAlone();
      this.#report(error);
    }
  }

  /** Where the configuration cannot be read, or says nothing of this type, the lock is still where it was. */
  async #takeAlone(): Promise<void> {
    if (this.#generation === undefined) return;
    const files = { ...this.#generation.files.lockFiles, inForce: this.#accepted };
    const taken = await loadLock(files).catch(() => undefined);
    if (taken) this.#take({ accepted: taken.accepted, functions: taken.lock.functions });
  }

  /**
   * A lock was taken, whatever may be wrong with other files: what it lists no more is out of force at once. Without the
   * function, or under another type, nothing answers in its name until lock or configuration are mended.
   */
  #take({ accepted, functions }: TakenLock): void {
    this.#accepted = accepted;
    const generation = this.#generation;
    if (generation === undefined) return;
    const { functionName } = generation.files;
    const listed = Object.hasOwn(functions, functionName) ? functions[functionName] : undefined;
    const stays = listed?.type === this.#options.type;
    const hasLost = generation.keepKeys(stays ? listed.keys : []);
    if (stays && !hasLost) return;
    this.#generation = stays ? this.#create(withKeysOf(generation.files, listed)) : undefined;
    if (this.#generation === undefined) this.#options.figures?.outOfForce();
    else if (this.#started) this.#generation.watch();
    this.#retire(generation);
  }

  #retire(previous: Generation): void {
    retire(previous, this.#options.retireMs ?? defaultRetireMs);
  }

  /** Apart from {@link #load}: what the new one keeps of its surroundings must not hold the one that it replaces. */
  #create(files: RoleFiles<T>): Generation<T> {
    const { type, log, figures } = this.#options;
    const generation = createGeneration(type, files, {
      log,
      known: this.#knownIn(files.state),
      metrics: figures?.metrics,
      onProved: (proved) => {
        // of one that was replaced, nothing counts any more
        if (this.#generation?.verifier !== generation.verifier) return;
        this.#tellServing(proved);
        if (proved) figures?.proved();
      },
    });
    return generation;
  }

  #knownIn(folder: string | undefined): KnownVersions {
    if (this.#known === undefined || this.#known.folder !== folder) {
      const { type, log } = this.#options;
      const state = folder === undefined ? undefined : { folder, type };
      this.#known = { folder, versions: openKnownVersions(state, log) };
    }
    return this.#known.versions;
  }

  #report(error: unknown): void {
    if (this.#generation === undefined) this.#tellServing(false);
    const problem =
      error instanceof PluginError
        ? error
        : new PluginError('INTERNAL', {
            happened: `reading the configuration failed (${error instanceof Error ? error.message : 'unknown'})`,
            expected: 'readable files',
            remedy: 'Report this with the log.',
            cause: error,
          });
    this.#options.figures?.problem(problem.happened);
    const now = performance.now();
    const known = this.#problem;
    if (known?.error.message === problem.message && now - known.loggedAt < repeatMs) return;
    this.#problem = { error: problem, loggedAt: now };
    this.#options.log.error(problem.message, {
      code: problem.code,
      effect: this.#generation
        ? 'the last good configuration stays in force'
        : 'every call is refused until this is mended',
    });
  }

  #reportExpiry(): void {
    const expires = this.#generation?.files.lockExpires;
    const now = performance.now();
    if (expires === undefined || now - this.#expiryLoggedAt < hourMs) return;
    const leftMs = Date.parse(expires) - Date.now();
    if (leftMs > 30 * 24 * hourMs) return;
    this.#expiryLoggedAt = now;
    const refuses = this.#generation?.files.onExpired === 'refuse';
    const fields = { expires, remedy: 'build and seal a new lock' };
    if (leftMs > 0) this.#options.log.warn('the lock expires soon', fields);
    else {
      const effect = refuses ? 'every call is refused' : 'what was accepted before serves on';
      this.#options.log.error('the lock has expired', { ...fields, effect });
    }
  }
}

/** A reading without the keys that its lock has lost; what was remembered of their answers is not taken over. */
function withKeysOf<T extends SectionName>(
  files: RoleFiles<T>,
  { keys: listed }: LockedFunction,
): RoleFiles<T> {
  const keys = files.locked.keys.filter(({ x }) => listed.some((key) => key.x === x));
  return { ...files, locked: { ...files.locked, keys } };
}

/** Ends a replaced generation when no call can be using it any more. */
function retire(replaced: Generation, ms: number): void {
  replaced.stopWatching();
  setTimeout(() => void replaced.close(), ms).unref();
}

function notStarted(): PluginError {
  return new PluginError('INTERNAL', {
    happened: 'a call came before the configuration was read',
    expected: 'a started role',
    remedy: 'Report this with the log.',
  });
}
