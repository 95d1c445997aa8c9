import { mkdir } from 'node:fs/promises';
import { basename, relative, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { print, remark, table } from '../../adapter/cli/output.ts';
import { PluginError } from '../../proto/error.ts';
import {
  type BuildTarget,
  type BuiltFunction,
  buildFunction,
  buildTargets,
  type FunctionSource,
} from '../build/function.ts';
import { type BuildManifest, manifestOf, writeManifest } from '../build/manifest.ts';
import { listed, provenanceOf } from '../build/uncommitted.ts';
import { readProject } from '../deploy/project.ts';

interface BuildOptions {
  readonly name?: string;
  readonly out: string;
  readonly targets?: readonly BuildTarget[];
  readonly json?: true;
}

function isTarget(text: string): text is BuildTarget {
  return (buildTargets as readonly string[]).includes(text);
}

function targetsFrom(list: string): BuildTarget[] {
  const targets = list.split(',');
  if (targets.every(isTarget)) return targets;
  throw new InvalidArgumentError(`expected some of ${buildTargets.join(',')}, with commas between them`);
}

/** `build [FILE]`: the deployable bundles of one function, or of each of a project, and their manifests. */
export function buildCommand(): Command {
  return new Command('build')
    .description('bundle functions for Workers, Node and Lambda, with their build ids written in')
    .argument(
      '[file]',
      'module whose default export is the plugin (default: each function of serverless.yml)',
    )
    .option('--name <name>', 'name of the function (default: name of the file)')
    .option('--out <folder>', 'where bundles go', 'out')
    .addOption(
      new Option(
        '--targets <list>',
        `of ${buildTargets.join(',')} (default: all for a file, for a project what each function is deployed to)`,
      ).argParser(targetsFrom),
    )
    .option('--json', 'one JSON object')
    .action(async (file: string | undefined, options: BuildOptions) => {
      const sources = file === undefined ? await ofProject(options) : [ofFile(file, options)];
      await mkdir(options.out, { recursive: true });
      const built: (BuiltFunction & { name: string })[] = [];
      const manifests: BuildManifest[] = [];
      for (const source of sources) {
        const one = await buildFunction({ ...source, outDir: resolve(options.out) });
        const manifest = manifestOf(source.name, one);
        await writeManifest(options.out, manifest);
        manifests.push(manifest);
        for (const warning of one.warnings) remark(`warning: ${source.name}: ${warning}`);
        built.push({ name: source.name, ...one });
      }
      const { uncommitted } = await provenanceOf(options.out, manifests);
      if (uncommitted.length > 0) {
        remark(`warning: not as committed: ${listed(uncommitted)}\n  ${notAgain}`);
      }
      if (options.json) print(JSON.stringify(file === undefined ? { functions: built } : built[0]));
      else print(asTable(built));
    });
}

type Source = Omit<FunctionSource, 'outDir'>;

function ofFile(file: string, { name, targets = buildTargets }: BuildOptions): Source {
  return { entry: resolve(file), name: name ?? basename(file).replace(/\.[cm]?[jt]s$/, ''), targets };
}

async function ofProject({ name, targets }: BuildOptions): Promise<Source[]> {
  if (name !== undefined) {
    throw new PluginError('INPUT_INVALID', {
      happened: '--name is there without a file',
      expected: 'the names of serverless.yml',
      remedy: 'Leave it away, or name the file that is to be built.',
    });
  }
  const { functions } = await readProject(process.cwd());
  return functions.map(({ name, entry, target }) => ({ name, entry, targets: targets ?? [target] }));
}

const notAgain = 'Nobody can build the same bundles from the commit: commit first what is to be deployed.';

function asTable(built: readonly BuiltFunction[]): string {
  return table(
    ['file', 'bytes', 'gzip', 'build id'],
    built.flatMap(({ artifacts }) =>
      artifacts.map((a) => [relative('', a.file), String(a.bytes), String(a.gzipBytes), a.buildId]),
    ),
  );
}
