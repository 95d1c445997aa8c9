import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, type BuildResult, build } from 'esbuild';
import { PluginError } from '../../proto/error.ts';
import type { PluginTypeName } from '../../proto/plugin-types.ts';
import { stampBuildId } from './build-id.ts';
import { describePlugin } from './describe.ts';
import { inputsOf } from './inputs.ts';

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

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Bundles a function for Workers and for Node, each as one minified file that is the same on every machine.
 *
 * - `<name>.worker.mjs`: a module Worker; nothing outside but `cloudflare:*` and `node:*`.
 * - `<name>.node.mjs`: a program, see functions/kit/node-main.ts for its environment.
 *
 * @throws PluginError INPUT_INVALID when the entry cannot be bundled or exports no such plugin
 */
export async function buildFunction(source: FunctionSource): Promise<BuiltFunction> {
  const outDir = resolve(source.outDir);
  mkdirSync(outDir, { recursive: true });
  const entry = JSON.stringify(resolve(source.entry));
  const worker = await bundle(`${source.name}.worker.mjs`, outDir, {
    stdin: { contents: `export * from ${entry}; export { default } from ${entry};`, resolveDir: root },
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    target: 'es2023',
  });
  const { type, handles } = describePlugin(worker.file, source.type);
  const main = JSON.stringify(join(root, 'functions/kit/node-main.ts'));
  const node = await bundle(`${source.name}.node.mjs`, outDir, {
    stdin: {
      contents: `import plugin from ${entry}; import { main } from ${main}; await main(plugin);`,
      resolveDir: root,
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

async function bundle(name: string, outDir: string, options: Specific): Promise<Omit<Artifact, 'runtime'>> {
  const file = join(outDir, name);
  const { outputFiles, metafile } = await run({ ...common, ...options, outfile: file });
  const code = outputFiles.find(({ path }) => path === file)?.contents ?? new Uint8Array();
  const { bytes, buildId } = stampBuildId(code);
  writeFileSync(file, bytes);
  for (const map of outputFiles.filter(({ path }) => path !== file)) {
    writeFileSync(join(outDir, basename(map.path)), map.contents);
  }
  return {
    file,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes: bytes.byteLength,
    gzipBytes: gzipSync(bytes, { level: 9 }).byteLength,
    buildId,
    inputs: inputsOf(metafile, root),
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
  absWorkingDir: root,
  // inside the repository the package's own name means its sources
  alias: {
    'sftpgo-plugin-serverless/kit': join(root, 'functions/kit/index.ts'),
    'sftpgo-plugin-serverless/kit/net': join(root, 'functions/kit/net.ts'),
    'sftpgo-plugin-serverless/functions/ipfilter': join(root, 'functions/ipfilter/index.ts'),
  },
} as const satisfies BuildOptions;

type Specific = Pick<
  BuildOptions,
  'stdin' | 'platform' | 'mainFields' | 'conditions' | 'external' | 'target'
>;
type Options = Specific & typeof common & { outfile: string };
type Bundled = BuildResult<{ metafile: true; write: false }>;

async function run(options: Options): Promise<Bundled> {
  try {
    return await build(options);
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
