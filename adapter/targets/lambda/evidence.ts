import { Buffer } from 'node:buffer';
import { PluginError } from '../../../proto/error.ts';
import type { AcceptedVersion, LockedFunction } from '../../../proto/lock/schema.ts';
import type { Probed } from '../../invoke/probe.ts';
import type { Finding, Verifier } from '../../shapes.ts';

/** A failed check is not repeated before: a broken deployment must not call AWS at every login. */
const failureMs = 1000;

export interface LambdaVerifierOptions {
  /** CodeSha256 of a version, from AWS; throws as {@link deployedCode}. */
  deployed(version: string): Promise<string>;
  /** Asks the function for its signed plugin-version and AWS for the version it ran. */
  probe(signal: AbortSignal): Promise<Probed>;
}

/**
 * Evidence of a Lambda function: `platform`. The last version in the lock is the one that is called; before the
 * first call, and once per start, AWS's digest of its zip is compared with the lock; and with every answer AWS says
 * which version it ran. A published version is immutable, so what was compared holds.
 *
 * Throws LOCK_INVALID for an entry that does not name exactly one zip.
 */
export function lambdaVerifier(
  name: string,
  locked: LockedFunction,
  { deployed, probe }: LambdaVerifierOptions,
): Verifier {
  const expected = new Map(locked.accepts.map((accepted) => [accepted.version, digestOf(name, accepted)]));
  const pinned = locked.accepts.at(-1)?.version ?? '';
  let check: Promise<void> | undefined;

  async function compare(version: string): Promise<void> {
    const found = await deployed(version);
    const wanted = expected.get(version);
    if (found === wanted) return;
    throw new PluginError('DRIFT', {
      happened: `version ${version} of ${name} has the code ${found}`,
      expected: `CodeSha256 ${wanted} (the lock)`,
      remedy: 'Somebody deployed other code: publish the locked zip, or take a lock that has this one.',
    });
  }

  /** One look for all the calls that wait for it; after a failure, the next call looks again a second later. */
  function checked(): Promise<void> {
    if (check === undefined) {
      const running = compare(pinned);
      check = running;
      running.catch(() => setTimeout(() => (check = undefined), failureMs).unref());
    }
    return check;
  }

  return {
    async pin(signal) {
      await untilAborted(checked(), signal, name);
      return pinned;
    },
    accept(pin, answer) {
      if (pin === pinned && answer.executed === pin) return 'platform';
      throw new PluginError('DRIFT', {
        happened: `AWS ran version ${answer.executed || '(none named)'} of ${name}`,
        expected: `version ${pin}, which was invoked`,
        remedy: 'Check that `aws.endpoint` is AWS itself and that the lock names a published version.',
      });
    },
    async audit(signal) {
      const findings: Finding[] = [];
      const add = (version: string, field: string, wanted: string, found: string) => {
        const row = { function: name, target: 'lambda', version, field } as const;
        findings.push({ ...row, expected: wanted, found, evidence: 'platform', ok: wanted === found });
      };
      for (const [version, wanted] of expected) {
        add(version, 'code sha256', wanted, await deployed(version).catch(inWords));
      }
      if (findings.every(({ ok }) => ok)) {
        const executed = await probe(signal).then((probed) => probed.executed ?? 'none', inWords);
        add(pinned, 'executed version', pinned, executed);
      }
      return findings;
    },
  };
}

/** The lock has SHA-256 in hex, AWS says base64. */
function digestOf(name: string, { version, files }: AcceptedVersion): string {
  const [zip, ...others] = Object.values(files);
  if (zip !== undefined && others.length === 0) return Buffer.from(zip, 'hex').toString('base64');
  throw new PluginError('LOCK_INVALID', {
    happened: `version ${version} of ${name} has ${Object.keys(files).length} files`,
    expected: 'the zip alone',
    remedy: 'Build the lock again.',
  });
}

function inWords(error: unknown): string {
  return error instanceof PluginError ? `${error.code}: ${error.happened}` : 'no answer';
}

/** The look itself goes on for the calls that come after. */
function untilAborted(work: Promise<void>, signal: AbortSignal, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = () =>
      reject(
        new PluginError('DEADLINE', {
          happened: `the code of ${name} was not proved in time`,
          expected: 'an answer of the Lambda API within the deadline',
          remedy: 'Check network, DNS and `aws.endpoint`.',
        }),
      );
    if (signal.aborted) late();
    signal.addEventListener('abort', late, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', late));
  });
}
