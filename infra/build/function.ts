import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { BuildOptions, BuildResult, Metafile } from 'esbuild';
import { PluginError } from '../../proto/error.ts';
import type { PluginTypeName } from '../../proto/plugin-types.ts';
import { stampBuildId } from './build-id.ts';
import { cloudflareStub, importsCloudflare } from './cloudflare-stub.ts';
import { describePlugin } from './describe.ts';
import { inputsOf } from './inputs.ts';
import { type KitPlace, kitPlace } from './kit-place.ts';
import { loadEsbuild } from './load-esbuild.ts';
import { withSources } from './sources.ts';
import { zipOf } from './zip.ts';

/** What a function can be built for. */
export const buildTargets = ['worker', 'node', 'lambda'] as const;

export type BuildTarget = (typeof buildTargets)[number];

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
  /** Absent: all. A function with the AWS SDK is for `lambda` and `node` only. */
  readonly targets?: readonly BuildTarget[];
}

/** One bundle, or for Lambda the zip around it. */
export interface Artifact {
  /** Its absolute path. A source map lies beside it, as `<file>.map`, and is not part of what is deployed. */
  readonly file: string;
  readonly runtime: BuildTarget;
  /** SHA-256 of the file, hex. Lambda's CodeSha256 is the same digest in base64: {@link codeSha256Of}. */
  readonly sha256: string;
  /** Of the file. */
  readonly bytes: number;
  /** Of the code, compressed: what platforms count. */
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
  /** What the plugin says that its author should know: a rule that can never match, for example. */
  readonly warnings: readonly string[];
  /** Of all artifacts together. */
  readonly inputs: Readonly<Record<string, string>>;
}

/**
 * Bundles a function for Workers, Node and Lambda, each as one minified file that is the same on every machine.
 * With the esbuild of the project in the current directory.
 *
 * - `<name>.worker.mjs`: a module Worker; nothing outside but `cloudflare:*` and `node:*`.
 * - `<name>.node.mjs`: a program, see functions/kit/node-main.ts for its environment.
 * - `<name>.lambda.zip`: for the runtime nodejs24.x with the handler `index.handler`, see functions/kit/lambda.ts.
 *
 * @throws PluginError INPUT_INVALID when the entry cannot be bundled or exports no such plugin, TOOL_MISSING
 * without esbuild
 */
export async function buildFunction(source: FunctionSource): Promise<BuiltFunction> {
  const bundler: Bundler = {
    workingDir: process.cwd(),
    entry: JSON.stringify(resolve(source.entry)),
    kit: kitPlace(),
    esbuild: loadEsbuild(process.cwd()),
  };
  const outDir = resolve(source.outDir);
  mkdirSync(outDir, { recursive: true });
  const targets = new Set(source.targets ?? buildTargets);
  const at = (ending: string) => join(outDir, `${source.name}.${ending}`);
  const built: Bundled[] = [];
  if (targets.has('worker')) built.push(await bundle(bundler, at('worker.mjs'), worker(bundler)));
  const { type, handles, warnings } = await describe(bundler, built[0], source.type);
  if (targets.has('node')) built.push(await bundle(bundler, at('node.mjs'), node(bundler)));
  if (targets.has('lambda')) built.push(await bundle(bundler, at('lambda.zip'), lambda(bundler)));
  const artifacts = built.map(({ metafile: _, ...artifact }) => artifact);
  return {
    type,
    artifacts,
    handles,
    warnings,
    inputs: Object.assign({}, ...artifacts.map(({ inputs }) => inputs)),
  };
}

/** SHA-256 in hex as Lambda writes it (CodeSha256 of a function's configuration). */
export function codeSha256Of(sha256Hex: string): string {
  return Buffer.from(sha256Hex, 'hex').toString('base64');
}

function worker({ entry, workingDir }: Bundler): Kind {
  return {
    runtime: 'worker',
    stdin: { contents: `export * from ${entry}; export { default } from ${entry};`, resolveDir: workingDir },
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    target: 'es2023',
  };
}

function node({ entry, kit, workingDir }: Bundler): Kind {
  const main = JSON.stringify(kit.nodeMain);
  const contents = `import plugin from ${entry}; import { main } from ${main}; await main(plugin);`;
  return {
    runtime: 'node',
    stdin: { contents, resolveDir: workingDir },
    ...inNode,
    target: 'node22',
  };
}

function lambda({ entry, kit, workingDir }: Bundler): Kind {
  const main = JSON.stringify(kit.lambda);
  const contents = `import plugin from ${entry}; import { serveLambda } from ${main}; export const handler = await serveLambda(plugin);`;
  return { runtime: 'lambda', stdin: { contents, resolveDir: workingDir }, ...inNode };
}

const inNode = {
  platform: 'node',
  mainFields: ['module', 'main'],
  // packages that are CommonJS call require(), which a module does not have
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
  target: 'node24',
} as const satisfies Partial<Kind>;

/** Asks the Worker bundle, or where Node cannot load that, a bundle made for nothing else, what the plugin is. */
async function describe(bundler: Bundler, built: Bundled | undefined, type: PluginTypeName | undefined) {
  if (built !== undefined && !importsCloudflare(built.metafile)) return describePlugin(built.file, type);
  const contents = `export { default } from ${bundler.entry};`;
  const stdin = { contents, resolveDir: bundler.workingDir };
  const kind = built === undefined ? inNode : { ...worker(bundler), plugins: [cloudflareStub] };
  const folder = mkdtempSync(join(tmpdir(), 'sftpgo-plugin-describe-'));
  try {
    const { file } = await bundle(bundler, join(folder, 'plugin.mjs'), { ...kind, runtime: 'node', stdin });
    return describePlugin(file, type);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What the bundles of one function share. */
interface Bundler {
  readonly workingDir: string;
  /** The author's module, as a JavaScript string. */
  readonly entry: string;
  readonly kit: KitPlace;
  readonly esbuild: ReturnType<typeof loadEsbuild>;
}

/** An artifact, and how it came about. */
interface Bundled extends Artifact {
  readonly metafile: Metafile;
}

async function bundle(bundler: Bundler, file: string, { runtime, ...options }: Kind): Promise<Bundled> {
  const { outputFiles, metafile } = await run(bundler, { ...common, ...options, outfile: file });
  const code = outputFiles.find(({ path }) => path === file)?.contents ?? new Uint8Array();
  const { bytes, buildId } = stampBuildId(code);
  const deployed = runtime === 'lambda' ? zipOf('index.mjs', bytes) : bytes;
  writeFileSync(file, deployed);
  for (const map of outputFiles.filter(({ path }) => path !== file)) {
    const place = { mapFile: map.path, workingDir: bundler.workingDir };
    writeFileSync(map.path, await withSources(map.text, metafile, place));
  }
  return {
    file,
    runtime,
    sha256: createHash('sha256').update(deployed).digest('hex'),
    bytes: deployed.byteLength,
    gzipBytes: gzipSync(bytes, { level: 9 }).byteLength,
    buildId,
    inputs: inputsOf(metafile, bundler.workingDir),
    metafile,
  };
}

const common = {
  bundle: true,
  format: 'esm',
  minify: true,
  // charset ascii: the bytes do not depend on how a platform decodes them
  charset: 'ascii',
  // a database in the bundle: its import is a Uint8Array
  loader: { '.mmdb': 'binary' },
  legalComments: 'none',
  sourcemap: 'external',
  metafile: true,
  write: false,
  logLevel: 'silent',
} as const satisfies BuildOptions;

type Specific = Pick<
  BuildOptions,
  'stdin' | 'platform' | 'mainFields' | 'conditions' | 'external' | 'target' | 'banner' | 'plugins'
>;
type Kind = Specific & { readonly runtime: BuildTarget };
type Options = Specific & typeof common & { outfile: string };
type Result = BuildResult<{ metafile: true; write: false }>;

async function run({ workingDir, kit, esbuild }: Bundler, options: Options): Promise<Result> {
  try {
    return await esbuild.build({ ...options, absWorkingDir: workingDir, alias: { ...kit.alias } });
  } catch (cause) {
    const [first] = (cause as { errors?: readonly EsbuildMessage[] }).errors ?? [];
    const where = first?.location ? `${first.location.file}:${first.location.line}: ` : '';
    const text = first?.text ?? String(cause);
    throw new PluginError('INPUT_INVALID', {
      happened: `the function cannot be bundled: ${where}${text}`,
      expected: 'a module that esbuild can bundle',
      remedy: text.includes('"cloudflare:')
        ? 'Only Workers have this module: build it for them alone (--targets worker).'
        : 'Correct the source, or install the package that it imports.',
      cause,
    });
  }
}

interface EsbuildMessage {
  readonly text: string;
  readonly location?: { readonly file: string; readonly line: number } | null;
}
