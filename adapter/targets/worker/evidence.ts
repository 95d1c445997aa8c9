import { PluginError } from '../../../proto/error.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import type { Probed } from '../../invoke/probe.ts';
import type { Evidence, Finding, Verifier } from '../../shapes.ts';
import { UnreachableError } from '../https/send.ts';
import type { Watching } from '../index.ts';
import { untilAborted } from '../until-aborted.ts';
import type { WorkerApi } from './api.ts';
import { compareVersion } from './compare.ts';
import { type DeploymentCheck, deploymentCheck } from './deployment-check.ts';

export interface WorkerVerifierOptions extends Watching {
  /** Cloudflare's API about this Worker; undefined without a token. */
  readonly api: WorkerApi | undefined;
  /** Between two looks at what is deployed, in ms; 60 s when absent. */
  readonly watchMs: number | undefined;
  /** Is the last version of the lock called by an address that leads to it alone? */
  readonly byVersionUrl: boolean;
  /** Asks the function for its signed plugin-version. */
  probe(signal: AbortSignal): Promise<Probed>;
}

const defaultWatchMs = 60_000;

/**
 * Evidence of a function on Cloudflare Workers.
 *
 * `claimed` without a token: the version id that the function signs must be in the lock. `observed` with one: every
 * version that takes traffic must be in the lock, and each was compared with it, module by module and field by field.
 * `platform` with `pin: version-url`: the address leads to the last version of the lock and to no other.
 */
export function workerVerifier(
  name: string,
  locked: LockedFunction,
  options: WorkerVerifierOptions,
): Verifier {
  const { api, byVersionUrl, watchMs = defaultWatchMs } = options;
  const last = locked.accepts.at(-1)?.version ?? '';
  const versions = byVersionUrl ? [last] : locked.accepts.map(({ version }) => version);
  const inLock = new Set(versions);
  const pinned = byVersionUrl ? last : undefined;
  const asked = { name, api: "Cloudflare's API", endpoint: 'cloudflare.endpoint' };
  const check = api === undefined ? undefined : deploymentCheck(name, locked, { ...options, api, pinned });
  const evidence: Evidence = byVersionUrl ? 'platform' : check === undefined ? 'claimed' : 'observed';

  const verifier: Verifier = {
    async pin(signal) {
      if (check !== undefined && !check.isReady()) {
        await untilAborted(check.ready(), signal, asked);
        const problem = check.problem();
        if (problem !== undefined) throw problem;
      }
      return pinned ?? '';
    },
    accept(_pin, _answer, claimed, signal) {
      const known = claimed !== undefined && inLock.has(claimed);
      if (check === undefined || (byVersionUrl && !known)) {
        if (known) return evidence;
        throw notLocked(name, claimed, versions);
      }
      if (known && check.isVerified(claimed) && check.problem() === undefined) return evidence;
      return lookedUp(check, claimed, signal);
    },
    async audit(signal) {
      const findings = api === undefined ? [] : await auditDeployed(name, locked, { api, evidence, pinned });
      if (findings.some(({ ok }) => !ok)) return findings;
      return [...findings, await auditClaim(signal)];
    },
  };

  /** An answer of a version that was not compared yet: the deployment is looked at, if it may be. */
  async function lookedUp(
    deployment: DeploymentCheck,
    claimed: string | undefined,
    signal: AbortSignal,
  ): Promise<Evidence> {
    const known = claimed !== undefined && inLock.has(claimed);
    const lookUp = deployment.lookUp(known ? claimed : undefined);
    const looked = await untilAborted(lookUp, signal, asked);
    const problem = deployment.problem();
    // what the look found says more, and is one line in the log
    if (!known) throw problem?.code === 'DRIFT' ? problem : notLocked(name, claimed, versions);
    if (problem !== undefined) throw afterwards(problem);
    if (deployment.isVerified(claimed)) return evidence;
    throw new UnreachableError(
      `version ${claimed} of ${name} answered, and was not compared yet`,
      false,
      undefined,
      {
        expected: "an answer of Cloudflare's API about it",
        remedy: looked
          ? 'Look for the line in the log that says why its API does not answer.'
          : 'It is looked at again within a minute: calls caused too many look-ups.',
      },
    );
  }

  async function auditClaim(signal: AbortSignal): Promise<Finding> {
    const expected = versions.join(' or ');
    const found = await options.probe(signal).then(({ build = 'none' }) => build, inWords);
    const about = { function: name, target: 'worker', version: found, field: 'plugin-version' } as const;
    const shown = byVersionUrl ? 'platform' : 'claimed';
    return { ...about, expected, found, evidence: shown, ok: inLock.has(found) };
  }

  if (check === undefined) return verifier;
  return {
    ...verifier,
    watch() {
      void check.look();
      const timer = setInterval(() => void check.look(), watchMs);
      timer.unref();
      return () => clearInterval(timer);
    },
  };
}

/** A row for each field of each version in the active deployment. */
async function auditDeployed(
  name: string,
  locked: LockedFunction,
  { api, evidence, pinned }: { api: WorkerApi; evidence: Evidence; pinned: string | undefined },
): Promise<Finding[]> {
  const about = { function: name, target: 'worker', evidence } as const;
  const findings: Finding[] = [];
  let version = pinned ?? 'deployed';
  try {
    const worker = await api.worker();
    const active = pinned === undefined ? await api.deployed() : [{ version_id: pinned, percentage: 100 }];
    for (const { version_id: id, percentage } of active) {
      version = id;
      const accepted = locked.accepts.find((one) => one.version === id);
      if (accepted === undefined) {
        const expected = locked.accepts.map((one) => one.version).join(' or ');
        const found = `${id}, with ${percentage} % of the traffic`;
        findings.push({ ...about, version, field: 'version', expected, found, ok: false });
        continue;
      }
      const compared = compareVersion(accepted, await api.version(id), worker);
      findings.push(...compared.map((row) => ({ ...about, version: id, ...row })));
    }
  } catch (error) {
    const expected = 'to be compared with the lock';
    findings.push({ ...about, version, field: 'deployment', expected, found: inWords(error), ok: false });
  }
  return findings;
}

function inWords(error: unknown): string {
  return error instanceof PluginError ? `${error.code}: ${error.happened}` : 'no answer';
}

function notLocked(name: string, claimed: string | undefined, versions: readonly string[]): PluginError {
  const build = claimed !== undefined && /^[0-9a-f]{64}$/.test(claimed);
  return new PluginError('DRIFT', {
    happened: `${name} runs ${claimed === undefined ? 'a version without an id' : build ? `build ${claimed}` : `version ${claimed}`}`,
    expected: `a version of the lock: ${versions.join(' or ')}`,
    remedy: build
      ? 'Give the Worker the binding CF_VERSION_METADATA of type version_metadata: its configuration from `deploy` has it.'
      : 'Deploy a version of the lock, or take a lock that has this one.',
  });
}

/** Of a call that was sent: what says "never reached" before a call must not let this one be sent again. */
function afterwards(problem: PluginError): PluginError {
  if (problem.code !== 'UNREACHABLE') return problem;
  const { happened, expected, remedy } = problem;
  return new UnreachableError(happened, false, problem, { expected, remedy });
}
