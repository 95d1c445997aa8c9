import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { BuildOptions, BuildResult } from 'esbuild';
import { PluginError } from '../../proto/error.ts';
import type { PluginTypeName } from '../../proto/plugin-types.ts';
import { stampBuildId } from './build-id.ts';
import { describePlugin } from './describe.ts';
import { inputsOf } from './inputs.ts';
import { type KitPlace, kitPlace } from './kit-place.ts';
import { loadEsbuild } from './load-esbuild.ts';

/** What to build. */
export interface FunctionSource {
  /** The author's module, whose default export is the plugin. */
  readonly entry: string;
  /** Names the files: `<name>.worker.mjs`. */
  readonly name: string;
  /** The plugin type the default export must have; any when absent. */
  readonly type?: PluginTypeName;
  /** Created if absent. */
  readonly outDir: string;
}

/** One bundle. */
export interface Artifact {
  /** Its absolute path. A source map lies beside it, as `<file>.map`, and is not part of what is deployed. */
  readonly file: string;
  readonly runtime: 'worker' | 'node';
  /** SHA-256 of the file, hex. */
  readonly sha256: string;
  readonly bytes: number;
  readonly gzipBytes: number;
  /** What it signs as plugin-version, see {@link buildIdOf}. */
  readonly buildId: string;
  /** Packages of other people in it: `name@version` to the SHA-256 of its bundled files. */
  readonly inputs: Readonly<Record<string, string>>;
}

/** What {@link buildFunction} made. */
export interface BuiltFunction {
  readonly type: PluginTypeName;
  readonly artifacts: readonly Artifact[];
  /** The RPCs that the plugin answers. */
  readonly handles: readonly string[];
  /** Of all artifacts together. */
  readonly inputs: Readonly<Record<string, string>>;
}

/**
 * Bundles a function for Workers and for Node, each as one minified file that is the same on every machine. With
 * the esbuild of the project in the current directory.
 *
 * - `<name>.worker.mjs`: a module Worker; nothing outside but `cloudflare:*` and `node:*`.
 * - `<name>.node.mjs`: a program, see functions/kit/node-main.ts for its environment.
 *
 * @throws PluginError INPUT_INVALID when the entry cannot be bundled or exports no such plugin, TOOL_MISSING
 * without esbuild
 */
export async function buildFunction(source: FunctionSource): Promise<BuiltFunction> {
  const bundler: Bundler = {
    workingDir: process.cwd(),
    kit: kitPlace(),
    esbuild: loadEsbuild(process.cwd()),
  };
  const outDir = resolve(source.outDir);
  mkdirSync(outDir, { recursive: true });
  const entry = JSON.stringify(resolve(source.entry));
  const worker = await bundle(bundler, join(outDir, `${source.name}.worker.mjs`), {
    stdin: {
      contents: `export * from ${entry}; export { default } from ${entry};`,
      resolveDir: bundler.workingDir,
    },
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    target: 'es2023',
  });
  const { type, handles } = describePlugin(worker.file, source.type);
  const main = JSON.stringify(bundler.kit.nodeMain);
  const node = await bundle(bundler, join(outDir, `${source.name}.node.mjs`), {
    stdin: {
      contents: `import plugin from ${entry}; import { main } from ${main}; await main(plugin);`,
      resolveDir: bundler.workingDir,
    },
    platform: 'node',
    target: 'node22',
  });
  const artifacts = [
    { ...worker, runtime: 'worker' },
    { ...node, runtime: 'node' },
  ] as const;
  return { type, artifacts, handles, inputs: { ...node.inputs, ...worker.inputs } };
}

/** What the bundles of one function share. */
interface Bundler {
  readonly workingDir: string;
  readonly kit: KitPlace;
  readonly esbuild: ReturnType<typeof loadEsbuild>;
}

async function bundle(bundler: Bundler, file: string, options: Specific): Promise<Omit<Artifact, 'runtime'>> {
  const { outputFiles, metafile } = await run(bundler, { ...common, ...options, outfile: file });
  const code = outputFiles.find(({ path }) => path === file)?.contents ?? new Uint8Array();
  const { bytes, buildId } = stampBuildId(code);
  writeFileSync(file, bytes);
  for (const map of outputFiles.filter(({ path }) => path !== file)) {
    writeFileSync(map.path, map.contents);
  }
  return {
    file,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes: bytes.byteLength,
    gzipBytes: gzipSync(bytes, { level: 9 }).byteLength,
    buildId,
    inputs: inputsOf(metafile, bundler.workingDir),
  };
}

const common = {
  bundle: true,
  format: 'esm',
  minify: true,
  // charset ascii: the bytes do not depend on how a platform decodes them
  charset: 'ascii',
  legalComments: 'none',
  sourcemap: 'external',
  metafile: true,
  write: false,
  logLevel: 'silent',
} as const satisfies BuildOptions;

type Specific = Pick<
  BuildOptions,
  'stdin' | 'platform' | 'mainFields' | 'conditions' | 'external' | 'target'
>;
type Options = Specific & typeof common & { outfile: string };
type Bundled = BuildResult<{ metafile: true; write: false }>;

async function run({ workingDir, kit, esbuild }: Bundler, options: Options): Promise<Bundled> {
  try {
    return await esbuild.build({ ...options, absWorkingDir: workingDir, alias: { ...kit.alias } });
  } catch (cause) {
    const [first] = (cause as { errors?: readonly EsbuildMessage[] }).errors ?? [];
    const where = first?.location ? `${first.location.file}:${first.location.line}: ` : '';
    throw new PluginError('INPUT_INVALID', {
      happened: `the function cannot be bundled: ${where}${first?.text ?? String(cause)}`,
      expected: 'a module that esbuild can bundle',
      remedy: 'Correct the source, or install the package that it imports.',
      cause,
    });
  }
}

interface EsbuildMessage {
  readonly text: string;
  readonly location?: { readonly file: string; readonly line: number } | null;
}
