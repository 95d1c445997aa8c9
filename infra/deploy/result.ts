import { table } from '../../adapter/cli/output.ts';
import type { Evidence } from '../../adapter/shapes.ts';
import type { LockedFunction } from '../../proto/lock/schema.ts';
import type { DeployResult } from './flow.ts';
import type { CloudTarget, ProjectFunction } from './project.ts';
import { shellWord } from './shell.ts';

/** Options of a command that writes a lock, as far as the command after it has to have them too. */
export interface LockOptions {
  readonly stage: string;
  readonly lock: string;
  readonly signer: string;
  readonly trust?: string | undefined;
}

/** What these are when they are not given. */
export const lockDefaults = {
  stage: 'live',
  lock: 'bundles.lock.json',
  signer: 'lock-signer.key.json',
} as const satisfies LockOptions;

/** One function at the end of a run. */
export interface DeployedRow {
  /** `name@stage`. */
  readonly function: string;
  readonly target: string;
  /** The version that is meant to get the calls. */
  readonly version: string;
  /** Of what was built: a Lambda zip, the main module of a Worker. */
  readonly sha256: string;
  /** What the host can prove of it, set up as docs/deploy.md says: {@link summary} has a remark for less, and more. */
  readonly evidence: Evidence;
  /** `waiting`: the lock accepts an older version as well, and `deploy --resume` is still to come. */
  readonly state: 'live' | 'waiting';
}

/** By where it runs: how a host is configured, the deployer cannot know. */
const evidences: Readonly<Record<CloudTarget, Evidence>> = { lambda: 'platform', worker: 'observed' };

/** A function as the summary shows it. */
export function rowOf(fn: ProjectFunction, entry: LockedFunction, state: DeployedRow['state']): DeployedRow {
  const last = entry.accepts.at(-1);
  return {
    function: fn.id,
    target: fn.target,
    version: last?.version ?? '',
    sha256: Object.values(last?.files ?? {})[0] ?? '',
    evidence: evidences[fn.target],
    state,
  };
}

/** The table that a run ends with, and what is to be done now. */
export function summary(result: DeployResult, options: LockOptions): string {
  const rows = result.functions.map((row) => [
    row.function,
    row.target,
    row.version,
    row.sha256.slice(0, 16),
    row.evidence,
    row.state,
  ]);
  const isObserved = result.functions.some(({ evidence }) => evidence === 'observed');
  return [
    table(['function', 'target', 'version', 'sha256', 'evidence', 'state'], rows),
    ...(isObserved ? [observedRemark] : []),
    ...(result.remarks ?? []),
    '',
    ...nextSteps(result, options),
  ].join('\n');
}

const observedRemark =
  'observed: with the section cloudflare on the host; without it claimed, with pin: version-url platform';

function nextSteps({ seq, written, waiting }: DeployResult, options: LockOptions): string[] {
  const handOver = [
    `  scp -p ${shellWord(options.lock)} HOST:/etc/sftpgo/bundles.lock.json.new`,
    '  ssh HOST mv /etc/sftpgo/bundles.lock.json.new /etc/sftpgo/bundles.lock.json',
  ];
  if (waiting.length > 0) {
    return [
      `The lock (seq ${seq}) accepts the old and the new version. Now bring it to the SFTPGo machine, which takes it within 5 s:`,
      ...handOver,
      'and then go on:',
      `  ${resumeCommand(waiting, options)}`,
    ];
  }
  if (!written) return [`The lock (seq ${seq}) has all of this already.`];
  return [`Bring the lock (seq ${seq}) to the SFTPGo machine, which takes it within 5 s:`, ...handOver];
}

/** The same stage, the same lock, the same keys: without them it would go on with another deployment. */
function resumeCommand(waiting: readonly string[], { stage, lock, signer, trust }: LockOptions): string {
  const options = { stage, lock, signer, trust };
  const defaults: Partial<LockOptions> = lockDefaults;
  const changed = (Object.keys(options) as (keyof LockOptions)[]).flatMap((name) => {
    const value = options[name];
    return value === undefined || value === defaults[name] ? [] : [`--${name}`, value];
  });
  const names = waiting.map((id) => id.replace(/@.*/, ''));
  return ['npx sftpgo-plugin-serverless deploy --resume', ...[...names, ...changed].map(shellWord)].join(' ');
}
