import { mkdir } from 'node:fs/promises';
import { basename, relative, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { print, table } from '../../adapter/cli/output.ts';
import { type BuildTarget, buildFunction, buildTargets } from '../build/function.ts';
import { manifestOf, writeManifest } from '../build/manifest.ts';

interface BuildOptions {
  readonly name?: string;
  readonly out: string;
  readonly targets: readonly BuildTarget[];
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

/** `build FILE`: the deployable bundles of one function and their manifest. */
export function buildCommand(): Command {
  return new Command('build')
    .description('bundle a function for Workers, Node and Lambda, with its build id written in')
    .argument('<file>', 'module whose default export is the plugin')
    .option('--name <name>', 'name of the function (default: name of the file)')
    .option('--out <folder>', 'where bundles go', 'out')
    .addOption(
      new Option('--targets <list>', `of ${buildTargets.join(',')}`)
        .default(buildTargets, 'all')
        .argParser(targetsFrom),
    )
    .option('--json', 'one JSON object')
    .action(async (file: string, options: BuildOptions) => {
      const name = options.name ?? basename(file).replace(/\.[cm]?[jt]s$/, '');
      await mkdir(options.out, { recursive: true });
      const built = await buildFunction({
        entry: resolve(file),
        name,
        outDir: resolve(options.out),
        targets: options.targets,
      });
      await writeManifest(options.out, manifestOf(name, built));
      if (options.json) {
        print(JSON.stringify({ name, ...built }));
        return;
      }
      print(
        table(
          ['file', 'bytes', 'gzip', 'build id'],
          built.artifacts.map((a) => [relative('', a.file), String(a.bytes), String(a.gzipBytes), a.buildId]),
        ),
      );
    });
}
