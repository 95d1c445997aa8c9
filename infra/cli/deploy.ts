import { Command, InvalidArgumentError, Option } from 'commander';
import { print, remark } from '../../adapter/cli/output.ts';
import { PluginError } from '../../proto/error.ts';
import { readCallers } from '../deploy/callers.ts';
import { openClouds } from '../deploy/clouds.ts';
import { notFromCommit } from '../deploy/committed.ts';
import { type DeployContext, deployFunctions, planFunctions } from '../deploy/flow.ts';
import { type CloudTarget, cloudTargets, readProject, selectFunctions } from '../deploy/project.ts';
import { type LockOptions, lockDefaults, summary } from '../deploy/result.ts';
import { resumeFunctions } from '../deploy/resume.ts';

/** Options that `deploy` and `rollback` share. */
export interface LockedCommandOptions extends LockOptions {
  readonly target?: CloudTarget;
  readonly json?: true;
}

interface DeployOptions extends LockedCommandOptions {
  readonly resume?: true;
  readonly percent?: number;
  readonly dryRun?: true;
  readonly allowDirty?: true;
  readonly out: string;
  readonly callers: string;
}

/** Adds the options that `deploy` and `rollback` share. */
export function withLockOptions(command: Command): Command {
  return command
    .option('--stage <stage>', 'stage of the functions', lockDefaults.stage)
    .addOption(new Option('--target <target>', 'only functions of this cloud').choices([...cloudTargets]))
    .option('--lock <file>', 'the lock', lockDefaults.lock)
    .option('--signer <file>', 'key that seals the lock', lockDefaults.signer)
    .option('--trust <file>', 'public keys that may have sealed the lock as well')
    .option('--json', 'one JSON object');
}

/** What a command works with: the functions of the project in the current directory, its lock, its clouds. */
export async function openContext(
  names: readonly string[],
  options: LockedCommandOptions,
  callers?: string,
): Promise<DeployContext> {
  const project = await readProject(process.cwd(), options.stage);
  return {
    functions: selectFunctions(project, names, options.target),
    lockFile: options.lock,
    signerFile: options.signer,
    trustFile: options.trust,
    cloud: openClouds({ project, stage: options.stage, callers, env: process.env }),
    report: remark,
  };
}

/** `deploy`: publish, read back, lock; after the host has the lock, `deploy --resume` shifts traffic. */
export function deployCommand(): Command {
  const command = new Command('deploy')
    .description('bring built functions to AWS Lambda and Cloudflare Workers: lock first, traffic second')
    .argument('[functions...]', 'name or name@stage (default: all of serverless.yml)')
    .option(
      '--resume',
      'the host has the lock: give the calls to the new versions, and take the old out of the lock',
    )
    .addOption(
      new Option('--percent <share>', 'with --resume: only this share of the calls, for now').argParser(
        percent,
      ),
    )
    .addOption(new Option('--dry-run', 'show what would be done, and change nothing').conflicts('resume'))
    .option('--allow-dirty', 'deploy also what was not built from what git has committed')
    .option('--out <folder>', 'folder of the builds', 'out')
    .option('--callers <file>', 'public keys of the adapters that may call', 'adapter.jwks.json');
  return withLockOptions(command).action(async (names: string[], options: DeployOptions, own: Command) => {
    if (options.percent !== undefined && !options.resume) {
      throw new PluginError('INPUT_INVALID', {
        happened: '--percent is there without --resume',
        expected: 'a share of the calls for a version that is in the lock already',
        remedy: 'Run deploy first, and then deploy --resume --percent.',
      });
    }
    const isNamed = own.getOptionValueSource('callers') !== 'default';
    const callers = options.resume
      ? undefined
      : await readCallers(options.callers, { isNamed, env: process.env });
    const context = await openContext(names, options, callers);
    const building = { ...context, outDir: options.out };
    if (!options.resume) await checkCommitted(context, options);
    if (options.dryRun) {
      const plans = await planFunctions(building);
      print(options.json ? JSON.stringify({ dryRun: true, functions: plans }) : planText(plans));
      return;
    }
    const result = options.resume
      ? await resumeFunctions({ ...context, percent: options.percent })
      : await deployFunctions(building);
    print(options.json ? JSON.stringify(result) : summary(result, options));
  });
}

/** In a git repository, only what is committed goes live; a look, and who says so, is warned. */
async function checkCommitted({ functions }: DeployContext, options: DeployOptions): Promise<void> {
  const problem = await notFromCommit(functions, options.out);
  if (problem === undefined) return;
  if (!options.dryRun && !options.allowDirty) throw problem;
  remark(`warning: ${problem.happened}`);
}

function planText(plans: Readonly<Record<string, readonly string[]>>): string {
  const parts = Object.entries(plans).map(([id, lines]) =>
    [id, ...lines.map((line) => `  ${line}`)].join('\n'),
  );
  return [...parts, 'Nothing was changed.'].join('\n');
}

function percent(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 100) return value;
  throw new InvalidArgumentError('expected a whole number from 1 to 100');
}
