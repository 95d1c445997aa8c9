import { mkdir } from 'node:fs/promises';
import { basename, relative, resolve } from 'node:path';
import { Command } from 'commander';
import { print, table } from '../../adapter/cli/output.ts';
import { buildFunction } from '../build/function.ts';
import { manifestOf, writeManifest } from '../build/manifest.ts';

/** `build FILE`: the deployable bundles of one function and their manifest. */
export function buildCommand(): Command {
  return new Command('build')
    .description('bundle a function for Workers and Node, with its build id written in')
    .argument('<file>', 'module whose default export is the plugin')
    .option('--name <name>', 'name of the function (default: name of the file)')
    .option('--out <folder>', 'where bundles go', 'out')
    .option('--json', 'one JSON object')
    .action(async (file: string, options: { name?: string; out: string; json?: true }) => {
      const name = options.name ?? basename(file).replace(/\.[cm]?[jt]s$/, '');
      await mkdir(options.out, { recursive: true });
      const built = await buildFunction({ entry: resolve(file), name, outDir: resolve(options.out) });
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
