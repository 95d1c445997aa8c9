import { PluginError } from '../../../proto/error.ts';
import type { AcceptedVersion, LockedFunction } from '../../../proto/lock/schema.ts';
import { onceAMinute } from '../../repeated.ts';
import { ControlPlaneError } from '../control-plane.ts';
import { acceptedDigest, type KnownVersion } from '../known-versions.ts';
import { type Compared, codeField, compareVersion, type DeployedVersion } from './compare.ts';
import type { LambdaVerifierOptions } from './evidence.ts';

/** A failed look is not repeated before: a broken deployment must not call AWS at every login. */
const failureMs = 1000;
/** What was verified before the start serves after this, if AWS has not answered yet. */
const knownAfterMs = 1000;

/** The comparison of the version that is called with the lock, and what came of it last. */
export interface DeploymentCheck {
  /** Was it found equal, and not different since? */
  isProved(): boolean;
  /**
   * Waits for that. Throws UNREACHABLE, and DRIFT, at once if it is known; either way it looks again, a second after
   * the last look at the earliest.
   */
  proved(): Promise<void>;
  /** What the last look that AWS answered found different; undefined: nothing. */
  drift(): PluginError | undefined;
  /** Looks now, one look at a time; never throws. */
  look(): Promise<void>;
}

/**
 * Compares the pinned version with the lock whenever it is told to.
 *
 * Equal: calls are sent. Different: none is, until a later look finds it equal. AWS does not say: what was verified
 * before, in this process or, by the state folder, in an earlier one, serves on; nothing new is accepted.
 */
export function deploymentCheck(
  name: string,
  locked: LockedFunction,
  { deployed, known, log, report }: LambdaVerifierOptions,
): DeploymentCheck {
  const accepted = locked.accepts.at(-1);
  if (accepted === undefined) throw new Error('a lock without a version was not refused');
  const { version } = accepted;
  const digest = acceptedDigest(locked, accepted);
  const problems = onceAMinute();
  let state: 'unknown' | 'proved' | PluginError = 'unknown';
  let running: Promise<void> | undefined;
  /** Until when, on the scale of `performance.now()`, a failed look is not repeated for a call. */
  let pauseUntilMs = Number.NEGATIVE_INFINITY;

  const drift = () => (state instanceof PluginError && state.code === 'DRIFT' ? state : undefined);

  async function earlier(): Promise<KnownVersion | undefined> {
    const before = await known.get(name, version);
    return before?.digest === digest ? before : undefined;
  }

  async function lookOnce(): Promise<void> {
    try {
      const found = await deployed(version);
      const different = compareVersion(accepted as AcceptedVersion, found).filter(({ ok }) => !ok);
      if (different.length > 0) throw differs(name, version, different);
      if (problems.reset()) log.info('the Lambda API answers again', { function: name });
      const mended = drift() !== undefined;
      state = 'proved';
      if (mended) report(undefined);
      // a disk that hangs must not end the looks
      void remember(found);
    } catch (thrown) {
      await failed(thrown);
    }
  }

  async function failed(thrown: unknown): Promise<void> {
    const error =
      thrown instanceof PluginError ? thrown : new PluginError('INTERNAL', unexpected(name, thrown));
    pauseUntilMs = performance.now() + failureMs;
    if (error.code === 'DRIFT') {
      if (drift() === undefined) void known.forget(name, version);
      state = error;
      report(error);
      return;
    }
    if (drift() === undefined && state !== 'proved')
      state = (await earlier()) === undefined ? error : 'proved';
    const serves = state === 'proved';
    const effect = serves ? 'what was verified before serves on' : 'calls are refused until it answers';
    if (problems.opensFor(error.message)) {
      const problem = error instanceof ControlPlaneError ? { problem: error.problem } : {};
      log[serves ? 'warn' : 'error'](error.message, { function: name, ...problem, effect });
    }
  }

  /** What AWS says of the version beside what was compared: other facts are told, and remembered. */
  async function remember({ RevisionId = '', LastModified = '' }: DeployedVersion): Promise<void> {
    const facts = { RevisionId, LastModified };
    const before = await earlier();
    const same = before?.facts['RevisionId'] === RevisionId && before.facts['LastModified'] === LastModified;
    if (same) return;
    if (before !== undefined && before.facts['LastModified'] !== LastModified) {
      log.warn(
        `version ${version} of ${name} is not the one that was verified before: AWS has one of ${LastModified} instead of ${before.facts['LastModified']}. Code and configuration are as the lock says`,
        { function: name, remedy: 'Look who deleted the function and created it again.' },
      );
    } else if (before !== undefined) {
      // a policy, an alias or provisioned concurrency does that
      log.info(`version ${version} of ${name} has another revision, and is as the lock says`);
    }
    await known.put(name, version, { digest, at: new Date().toISOString(), facts });
  }

  function look(): Promise<void> {
    running ??= lookOnce().finally(() => {
      running = undefined;
    });
    return running;
  }

  return {
    isProved: () => state === 'proved',
    drift,
    look,
    async proved() {
      if (running !== undefined || performance.now() >= pauseUntilMs) {
        const done = look();
        // it stays refused meanwhile, however long AWS takes
        if (drift() !== undefined) throw state;
        if (state === 'unknown' && (await earlier()) !== undefined) {
          await Promise.race([done, wait(knownAfterMs)]);
          if (state === 'unknown') state = 'proved';
        } else await done;
      }
      if (state instanceof PluginError) throw state;
    },
  };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}

function differs(name: string, version: string, different: readonly Compared[]): PluginError {
  const [{ field, expected, found } = { field: '', expected: '', found: '' }, ...others] = different;
  const more =
    others.length === 0
      ? ''
      : `, and differs in ${others
          .slice(0, 8)
          .map((one) => one.field)
          .join(', ')}`;
  const code = field === codeField;
  return new PluginError('DRIFT', {
    happened: `version ${version} of ${name} has ${code ? `the code ${found}` : `${field} ${found}`}${more}`,
    expected: `${code ? 'CodeSha256' : field} ${expected} (the lock)`,
    remedy: code
      ? 'Somebody deployed other code: publish the locked zip, or take a lock that has this one.'
      : 'Somebody deployed other settings: publish a version with those of the lock, or take a lock that has these.',
  });
}

function unexpected(name: string, cause: unknown) {
  return {
    happened: `the deployment of ${name} could not be compared (${cause instanceof Error ? cause.name : 'unknown'})`,
    expected: 'an answer of AWS, or one of its errors',
    remedy: 'Report this with the log.',
    cause,
  };
}
