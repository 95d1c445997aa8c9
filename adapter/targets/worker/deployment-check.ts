import { PluginError } from '../../../proto/error.ts';
import type { AcceptedVersion, LockedFunction } from '../../../proto/lock/schema.ts';
import { onceAMinute } from '../../repeated.ts';
import { ControlPlaneError } from '../control-plane.ts';
import type { Watching } from '../index.ts';
import { acceptedDigest } from '../known-versions.ts';
import type { WorkerApi } from './api.ts';
import { type Compared, compareSettings, compareVersion } from './compare.ts';
import { lookUpBudget } from './look-ups.ts';

const hourMs = 3_600_000;
/** How long what was verified serves on while Cloudflare's API does not answer. */
export const servesOnMs = 7 * 24 * hourMs;
/** Look-ups that calls may cause, beside the timer's. */
const lookUpsAMinute = 10;
/** What is not in order is not looked at again before, for a call. */
const pauseMs = 5000;
/** What was verified before the start serves after this, if the API has not answered yet. */
const knownAfterMs = 1000;

/** The comparison of what is deployed with the lock, and what came of it last. */
export interface DeploymentCheck {
  /** Why no call may be sent, and no answer taken; undefined when everything deployed is known to be locked. */
  problem(): PluginError | undefined;
  /** Was this version compared, and found equal? */
  isVerified(version: string): boolean;
  /** Is there something to go by, and nothing wrong? */
  isReady(): boolean;
  /** Waits until there is something to go by: an answer of the API, or what was verified before. Never throws. */
  ready(): Promise<void>;
  /** Looks now, one look at a time, at this version of the lock too; never throws. */
  look(version?: string): Promise<void>;
  /** The same for a call: not done, and false, if calls caused ten looks in the last minute. */
  lookUp(version?: string): Promise<boolean>;
}

export interface CheckOptions extends Watching {
  readonly api: WorkerApi;
  /** The one version that is called by an address of its own; undefined: those of the active deployment. */
  readonly pinned: string | undefined;
}

/**
 * Compares what is deployed with the lock whenever it is told to. Versions are immutable: each is read once, and
 * what was found is remembered over restarts by the state folder. Which versions take the traffic, and what belongs
 * to no version, is asked at every look.
 *
 * Different: no call is sent until a later look finds it equal. The API does not say: what was verified serves on
 * for seven days; no version is accepted that was not verified before.
 */
export function deploymentCheck(
  name: string,
  locked: LockedFunction,
  options: CheckOptions,
): DeploymentCheck {
  const { api, known, log, report, pinned } = options;
  const lock = new Map(
    locked.accepts.map((accepted) => [
      accepted.version,
      { accepted, digest: acceptedDigest(locked, accepted) },
    ]),
  );
  const verified = new Set<string>();
  const lines = onceAMinute();
  const mayLookUp = lookUpBudget(lookUpsAMinute);
  let drift: PluginError | undefined;
  let failure: PluginError | undefined;
  /** When everything was last found equal, ms since the epoch: it counts over restarts. */
  let goodAtMs = Number.NEGATIVE_INFINITY;
  let savedAtMs = Number.NEGATIVE_INFINITY;
  let looked = false;
  let pauseUntilMs = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | undefined;
  let recalling: Promise<void> | undefined;

  /** What was verified before this start. */
  async function recall(): Promise<void> {
    for (const [version, { digest }] of lock) {
      const before = await known.get(name, version);
      const atMs = Date.parse(before?.at ?? '');
      // a time to come is a clock that was set back: it must not make seven days longer
      if (before?.digest !== digest || !(atMs <= Date.now() + hourMs)) continue;
      verified.add(version);
      goodAtMs = Math.max(goodAtMs, atMs);
    }
    savedAtMs = goodAtMs;
  }

  function recalled(): Promise<void> {
    recalling ??= recall();
    return recalling;
  }

  async function lookOnce(extra: string | undefined): Promise<void> {
    await recalled();
    try {
      const worker = await api.worker();
      const active = pinned === undefined ? (await api.deployed()).map((one) => one.version_id) : [pinned];
      const versions = new Set(extra === undefined ? active : [...active, extra]);
      for (const version of versions) {
        const { accepted } = lock.get(version) ?? {};
        if (accepted === undefined) throw notLocked(name, version, locked.accepts);
        const differs = verified.has(version)
          ? compareSettings(accepted, worker)
          : compareVersion(accepted, await api.version(version), worker);
        const different = differs.filter(({ ok }) => !ok);
        if (different.length > 0) throw differing(name, version, different);
        verified.add(version);
      }
      await found(active);
    } catch (thrown) {
      await failed(thrown);
    }
    looked = true;
    pauseUntilMs = performance.now() + pauseMs;
  }

  /** Everything is as the lock says. */
  async function found(active: readonly string[]): Promise<void> {
    const nowMs = Date.now();
    const mended = drift !== undefined;
    [drift, failure, goodAtMs] = [undefined, undefined, nowMs];
    if (lines.reset()) log.info(`Cloudflare's API answers again: ${name} is as the lock says`);
    if (mended) report(undefined);
    const unsaved = [];
    for (const version of verified) {
      if ((await known.get(name, version))?.digest !== lock.get(version)?.digest) unsaved.push(version);
    }
    const due = nowMs - savedAtMs >= hourMs;
    if (due) savedAtMs = nowMs;
    for (const version of new Set([...unsaved, ...(due ? active : [])])) {
      const { digest } = lock.get(version) ?? {};
      const at = new Date(nowMs).toISOString();
      // a disk that hangs must not end the looks
      if (digest !== undefined) void known.put(name, version, { digest, at, facts: {} });
    }
  }

  async function failed(thrown: unknown): Promise<void> {
    const error = thrown instanceof PluginError ? thrown : unexpected(name, thrown);
    if (error.code === 'DRIFT') {
      drift = error;
      report(error);
      // a start while the API does not answer must not take the deployment for the one that was in order
      for (const version of lock.keys()) void known.forget(name, version);
      return;
    }
    failure = error;
    if (!lines.opensFor(error.message)) return;
    const serves = problem() === undefined;
    const until = new Date(goodAtMs + servesOnMs);
    const effect = serves
      ? `what was verified before serves on until ${until.toISOString()}`
      : 'calls are refused until it answers';
    const kind = error instanceof ControlPlaneError ? { problem: error.problem } : {};
    log[serves ? 'warn' : 'error'](error.message, { function: name, ...kind, effect });
  }

  function problem(): PluginError | undefined {
    if (drift !== undefined) return drift;
    if (Date.now() - goodAtMs <= servesOnMs) return undefined;
    return failure ?? unexpected(name, undefined);
  }

  function look(version?: string): Promise<void> {
    running ??= lookOnce(version).finally(() => {
      running = undefined;
    });
    return running;
  }

  async function lookUp(version?: string): Promise<boolean> {
    if (running !== undefined) {
      await running;
      if (version === undefined || verified.has(version)) return true;
    }
    if (running === undefined && !mayLookUp()) return false;
    await look(version);
    return true;
  }

  return {
    problem,
    isVerified: (version) => verified.has(version),
    isReady: () => looked && problem() === undefined,
    look,
    lookUp,
    async ready() {
      await recalled();
      if (looked && problem() === undefined) return;
      if (looked && performance.now() < pauseUntilMs) return;
      const done = looked ? lookUp() : look();
      if (problem() === undefined) await Promise.race([done, wait(knownAfterMs)]);
      else await done;
      // from now on the timer looks, and what is unknown
      looked = true;
    },
  };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}

function notLocked(name: string, version: string, accepts: readonly AcceptedVersion[]): PluginError {
  return new PluginError('DRIFT', {
    happened: `version ${version} of ${name} is deployed, and not in the lock`,
    expected: `only versions of the lock: ${accepts.map((one) => one.version).join(', ')}`,
    remedy: 'Deploy a version of the lock, or take a lock that has this one.',
  });
}

function differing(name: string, version: string, different: readonly Compared[]): PluginError {
  const [{ field, expected, found } = { field: '', expected: '', found: '' }, ...others] = different;
  const more = others.length === 0 ? '' : `, and differs in ${others.map((one) => one.field).join(', ')}`;
  return new PluginError('DRIFT', {
    happened: `version ${version} of ${name} has ${field} ${found}${more}`,
    expected: `${field} ${expected} (the lock)`,
    remedy: 'Deploy a version that is as the lock says, or take a lock that has this one.',
  });
}

function unexpected(name: string, cause: unknown): PluginError {
  return new PluginError('INTERNAL', {
    happened: `the deployment of ${name} was not compared (${cause instanceof Error ? cause.name : 'unknown'})`,
    expected: "an answer of Cloudflare's API, or one of its errors",
    remedy: 'Report this with the log.',
    cause,
  });
}
