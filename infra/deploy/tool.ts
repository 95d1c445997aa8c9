import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PluginError } from '../../proto/error.ts';

/** The most that is kept of what a tool prints; more of it is for nobody. */
const maxOutputChars = 256 * 1024;

/** What a tool printed, and how it ended. */
export interface ToolRun {
  readonly exitCode: number;
  /** stdout and stderr as they came, without colours. */
  readonly output: string;
}

/**
 * A package of the author's project, looked up from `folder` as Node does: only `deploy` needs it, so this package does
 * not install it.
 *
 * @throws PluginError TOOL_MISSING with the line that installs it
 */
export function loadTool<T>(folder: string, name: string): T {
  const fromProject = createRequire(join(folder, 'package.json'));
  resolved(fromProject, folder, name, name);
  return fromProject(name);
}

/**
 * The file that a package of the author's project installs as its command.
 *
 * @throws PluginError TOOL_MISSING with the line that installs it
 */
export function toolFile(folder: string, name: string, command = name): string {
  const fromProject = createRequire(join(folder, 'package.json'));
  const manifest = resolved(fromProject, folder, name, `${name}/package.json`);
  const { bin } = fromProject(manifest) as { bin: string | Record<string, string> };
  return join(dirname(manifest), typeof bin === 'string' ? bin : (bin[command] ?? ''));
}

function resolved(fromProject: NodeJS.Require, folder: string, name: string, request: string): string {
  try {
    return fromProject.resolve(request);
  } catch (cause) {
    throw new PluginError('TOOL_MISSING', {
      happened: `${name} is not installed in ${folder}`,
      expected: 'it in the devDependencies of the project',
      remedy: `Run: npm i -D ${name}`,
      cause,
    });
  }
}

/** Runs a tool's file with this Node, in the project's folder, and waits for its end. Nothing of it is printed. */
export async function runTool(
  file: string,
  args: readonly string[],
  options: { readonly folder: string; readonly env: Readonly<Record<string, string | undefined>> },
): Promise<ToolRun> {
  const child = spawn(process.execPath, [file, ...args], {
    cwd: options.folder,
    env: { ...options.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: string) => {
    output = (output + chunk).slice(-maxOutputChars);
  };
  child.stdout.setEncoding('utf8').on('data', keep);
  child.stderr.setEncoding('utf8').on('data', keep);
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
  return { exitCode, output: output.replace(/\u001b\[[\d;]*m/g, '') };
}
