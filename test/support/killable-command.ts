import { spawn } from 'node:child_process';
import { join } from 'node:path';

const cli = join(import.meta.dirname, '../../infra/cli/main.ts');

/** What a command came to; 137 when it was killed. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one of the author's commands in a folder, and kills it as soon as it has printed what `killAt` matches. */
export async function runKillable(
  folder: string,
  args: readonly string[],
  { env, killAt }: { readonly env: NodeJS.ProcessEnv; readonly killAt?: RegExp | undefined },
): Promise<Ran> {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
      if (killAt?.test(text[name])) child.kill('SIGKILL');
    });
  }
  const code = await new Promise<number>((resolve) => child.on('close', (exit) => resolve(exit ?? 137)));
  return { code, ...text };
}
