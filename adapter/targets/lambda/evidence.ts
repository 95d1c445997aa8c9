import { PluginError } from '../../../proto/error.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import type { Probed } from '../../invoke/probe.ts';
import type { Finding, Verifier } from '../../shapes.ts';
import type { Watching } from '../index.ts';
import { untilAborted } from '../until-aborted.ts';
import { codeField, compareVersion, type DeployedVersion, isConfigLocked, zipDigest } from './compare.ts';
import { deploymentCheck } from './deployment-check.ts';

export interface LambdaVerifierOptions extends Watching {
  /** One version as AWS has it; throws as {@link deployedVersion}. */
  deployed(version: string): Promise<DeployedVersion>;
  /** Asks the function for its signed plugin-version and AWS for the version it ran. */
  probe(signal: AbortSignal): Promise<Probed>;
  /** Between two looks at what is deployed, in ms; 60 s when absent. */
  readonly watchMs: number | undefined;
}

const defaultWatchMs = 60_000;

/**
 * Evidence of a Lambda function: `platform`. The last version in the lock is the one that is called; what AWS has of
 * it is compared with the lock after each start, before the first call, and by a timer, for a function that is
 * deleted and created again counts from 1 again. With every answer AWS says which version it ran.
 *
 * Throws LOCK_INVALID for an entry that does not name exactly one zip.
 */
export function lambdaVerifier(
  name: string,
  locked: LockedFunction,
  options: LambdaVerifierOptions,
): Verifier {
  for (const accepted of locked.accepts) zipDigest(accepted);
  const pinned = locked.accepts.at(-1)?.version ?? '';
  const asked = { name, api: 'the Lambda API', endpoint: 'aws.endpoint' };
  const check = deploymentCheck(name, locked, options);
  return {
    async pin(signal) {
      // nothing to wait for, once it is proved
      if (!check.isProved()) await untilAborted(check.proved(), signal, asked);
      return pinned;
    },
    accept(pin, answer) {
      // found while this call was under way
      const drift = check.drift();
      if (drift !== undefined) throw drift;
      if (pin === pinned && answer.executed === pin) return 'platform';
      throw new PluginError('DRIFT', {
        happened: `AWS ran version ${answer.executed || '(none named)'} of ${name}`,
        expected: `version ${pin}, which was invoked`,
        remedy: 'Check that `aws.endpoint` is AWS itself and that the lock names a published version.',
      });
    },
    watch() {
      void check.look();
      const timer = setInterval(() => void check.look(), options.watchMs ?? defaultWatchMs);
      timer.unref();
      return () => clearInterval(timer);
    },
    async audit(signal) {
      const findings: Finding[] = [];
      for (const accepted of locked.accepts) {
        const about = {
          function: name,
          target: 'lambda',
          version: accepted.version,
          evidence: 'platform',
        } as const;
        try {
          const deployed = await options.deployed(accepted.version);
          findings.push(...compareVersion(accepted, deployed).map((compared) => ({ ...about, ...compared })));
          if (!isConfigLocked(accepted)) {
            const expected = 'nothing: the lock has no configuration';
            findings.push({ ...about, field: 'config', expected, found: 'not compared', ok: true });
          }
        } catch (error) {
          const expected = zipDigest(accepted);
          findings.push({ ...about, field: codeField, expected, found: inWords(error), ok: false });
        }
      }
      if (findings.every(({ ok }) => ok)) {
        const executed = await probe(options, signal);
        const about = { function: name, target: 'lambda', version: pinned, evidence: 'platform' } as const;
        const field = 'executed version';
        findings.push({ ...about, field, expected: pinned, found: executed, ok: executed === pinned });
      }
      return findings;
    },
  };
}

function probe({ probe: ask }: LambdaVerifierOptions, signal: AbortSignal): Promise<string> {
  return ask(signal).then(({ executed = 'none' }) => executed, inWords);
}

function inWords(error: unknown): string {
  return error instanceof PluginError ? `${error.code}: ${error.happened}` : 'no answer';
}
