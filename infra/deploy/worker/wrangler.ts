import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { PluginError } from '../../../proto/error.ts';
import { toolFile } from '../tool.ts';
import { wranglerFailure } from './failure.ts';

/** The wrangler of the author's project. */
export interface Wrangler {
  /** Absolute path of its main module. */
  readonly module: string;
  /** Absolute path of the script that its command runs. */
  readonly bin: string;
}

/** One run of it. */
export interface WranglerRun {
  /** Its arguments: `['versions', 'upload', …]`. */
  readonly args: readonly string[];
  /** Where it runs: its cache folder `.wrangler` comes here. */
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Given to its stdin, a pipe: the one way by which a secret reaches it. */
  readonly stdin?: string;
  /** What was to be done, for the message when it fails: `upload a version of Worker office`. */
  readonly purpose: string;
}

/** What it did, by the file that it writes for programs (WRANGLER_OUTPUT_FILE_PATH), one entry a line. */
export type WranglerOutput = readonly Readonly<Record<string, unknown>>[];

const packageJson = z.object({ version: z.string() });

/** `versions upload --secrets-file` is newer than `versions upload`. */
const oldestMajor = 4;

/**
 * Finds wrangler as Node does from a folder: only who deploys Workers needs it, so the package does not install it.
 *
 * @throws PluginError TOOL_MISSING, also for a release that is too old
 */
export async function findWrangler(folder: string): Promise<Wrangler> {
  const bin = toolFile(folder, 'wrangler');
  const fromProject = createRequire(join(folder, 'package.json'));
  const { version } = packageJson.parse(
    JSON.parse(await readFile(fromProject.resolve('wrangler/package.json'), 'utf8')),
  );
  if (Number(version.split('.')[0]) >= oldestMajor) return { module: fromProject.resolve('wrangler'), bin };
  throw new PluginError('TOOL_MISSING', {
    happened: `wrangler is ${version}`,
    expected: `wrangler ${oldestMajor}: older ones cannot upload a secret with a version`,
    remedy: 'Run: npm i -D wrangler@4',
  });
}

/**
 * Runs wrangler: without questions, telemetry, look for updates, or a log on disk.
 *
 * Returns what it wrote for programs. Throws UNREACHABLE (three messages) or INPUT_INVALID with its own words.
 */
export async function runWrangler({ bin }: Wrangler, run: WranglerRun): Promise<WranglerOutput> {
  const desk = await mkdtemp(join(tmpdir(), 'sftpgo-plugin-wrangler-'));
  try {
    const outputFile = join(desk, 'output.ndjson');
    const environment = { ...run.environment, ...quiet, WRANGLER_OUTPUT_FILE_PATH: outputFile };
    const { code, said } = await spawned([bin, ...run.args], { ...run, environment });
    const output = parseLines(await readFile(outputFile, 'utf8').catch(() => ''));
    if (code === 0) return output;
    throw wranglerFailure(run.purpose, { said, ...failureIn(output) });
  } finally {
    await rm(desk, { recursive: true, force: true });
  }
}

/** Its log of debugging has whole requests in it, secrets included, unless it is told not to write one. */
export const quiet = {
  WRANGLER_WRITE_LOGS: 'false',
  WRANGLER_LOG: 'log',
  WRANGLER_LOG_SANITIZE: 'true',
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  // the banner looks for updates
  WRANGLER_HIDE_BANNER: 'true',
  CI: 'true',
  NO_COLOR: '1',
  FORCE_COLOR: '0',
};

/** Runs a program of Node's; returns its exit code and its last words. */
async function spawned(
  args: readonly string[],
  { folder, environment, stdin = '' }: Pick<WranglerRun, 'folder' | 'environment' | 'stdin'>,
): Promise<{ code: number | null; said: string }> {
  // through cat: Node's own pipes are sockets, which nobody can open as /dev/stdin
  const child = spawn('/bin/sh', ['-c', 'cat | "$@"', 'sh', process.execPath, ...args], {
    cwd: folder,
    env: environment,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-16_384);
    });
  }
  // it may end without having read: its exit code says more than EPIPE
  child.stdin.on('error', () => undefined).end(stdin);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  return { code, said };
}

function parseLines(text: string): WranglerOutput {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Record<string, unknown> => Object(JSON.parse(line)));
}

function failureIn(output: WranglerOutput): { code?: number; message?: string } {
  const { code, message } = output.find(({ type }) => type === 'command-failed') ?? {};
  return {
    ...(typeof code === 'number' ? { code } : {}),
    ...(typeof message === 'string' ? { message } : {}),
  };
}
