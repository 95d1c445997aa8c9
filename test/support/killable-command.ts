import { spawn } from 'node:child_process';
import { join } from 'node:path';

const cli = join(import.meta.dirname, '../../infra/cli/main.ts');

/** What a command came to; 137 when it was killed. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** When a command is killed: when it prints what matches, or when something has happened. */
export type KillAt = RegExp | Promise<unknown>;

/**
 * Runs one of the author's commands in a folder, and kills it at once and without a word, with every tool that it has
 * started: what is left undone then, nobody does any more.
 */
export async function runKillable(
  folder: string,
  args: readonly string[],
  { env, killAt }: { readonly env: NodeJS.ProcessEnv; readonly killAt?: KillAt | undefined },
): Promise<Ran> {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // a group of its own, which is killed as a whole
    detached: true,
  });
  const kill = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  };
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
      if (killAt instanceof RegExp && killAt.test(text[name])) kill();
    });
  }
  if (killAt instanceof Promise) void killAt.then(kill);
  const code = await new Promise<number>((resolve) => child.on('close', (exit) => resolve(exit ?? 137)));
  return { code, ...text };
}
