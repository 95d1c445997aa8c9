import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PluginError } from '../../../proto/error.ts';
import type { Report } from '../cloud.ts';
import { runTool, toolFile } from '../tool.ts';
import { oslsFailure } from './failure.ts';
import { finishPlannedStack, plannedState } from './unfinished-stack.ts';

/** osls keeps what it packaged here; `deploy` takes it from there. */
const packageFolder = '.serverless';

/** How osls is run: in which project, for which stage, with which variables. */
export interface OslsOptions {
  readonly folder: string;
  readonly stage: string;
  /** The environment of osls: PLUGIN_CALLERS among it, for serverless.yml. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The service as osls packaged it: CloudFormation's template and what osls made of serverless.yml. */
export interface Packaged {
  readonly region: string;
  /** Name of its stack. */
  readonly stack: string;
  /** Of the service: functions by their name in serverless.yml. */
  readonly functions: Readonly<Record<string, { readonly name: string }>>;
  readonly resources: Readonly<Record<string, CloudFormationResource>>;
}

export interface CloudFormationResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

/**
 * Packages the service, without AWS and without credentials.
 *
 * @throws PluginError TOOL_MISSING, CONFIG_INVALID with what osls says
 */
export async function packageService(options: OslsOptions): Promise<Packaged> {
  const { exitCode, output } = await osls(['package', '--package', packageFolder], options);
  if (exitCode !== 0) throw oslsFailure('package', output);
  const read = async (file: string) =>
    JSON.parse(await readFile(join(options.folder, packageFolder, file), 'utf8'));
  const { service } = await read('serverless-state.json');
  const { Resources: resources } = await read('cloudformation-template-update-stack.json');
  const { region, stackName } = service.provider;
  const stack = String(stackName ?? `${service.service}-${options.stage}`);
  return { region: String(region), stack, functions: service.functions, resources };
}

/**
 * Deploys what {@link packageService} packaged, and waits until CloudFormation is done. CloudFormation goes back by
 * itself when it fails. A stack that an earlier run planned and did not make is made first.
 *
 * @throws PluginError UNREACHABLE with what osls says, INPUT_INVALID as {@link finishPlannedStack}
 */
export async function deployService(packaged: Packaged, options: OslsOptions, report: Report): Promise<void> {
  report(`deploying the stack with osls (stage ${options.stage})`);
  const deploy = async () => await osls(['deploy', '--package', packageFolder], options);
  const first = await deploy();
  const isPlanned = first.exitCode !== 0 && first.output.includes(plannedState);
  if (isPlanned) {
    report('making the stack that an interrupted run has planned');
    await finishPlannedStack(packaged, options);
  }
  const { exitCode, output } = isPlanned ? await deploy() : first;
  if (exitCode !== 0) throw oslsFailure('deploy', output);
}

async function osls(args: readonly string[], { folder, stage, env }: OslsOptions) {
  const file = toolFile(folder, 'osls');
  try {
    return await runTool(file, [...args, '--stage', stage], { folder, env });
  } catch (cause) {
    throw new PluginError('TOOL_MISSING', {
      happened: `osls cannot be run (${Object(cause).code})`,
      expected: 'the osls of the project',
      remedy: 'Run: npm i -D osls',
      cause,
    });
  }
}
