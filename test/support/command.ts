import type { Command } from 'commander';
import { runCommand } from '../../adapter/cli/program.ts';

/** What a command did. */
export interface CommandOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the host, or of `commands`, in this process, as if its shell stood in `folder`. */
export async function runInFolder(
  folder: string,
  args: readonly string[],
  program = process.argv[1] ?? '',
  commands?: Command,
): Promise<CommandOutcome> {
  const saved = { argv1: process.argv[1], exitCode: process.exitCode };
  const writes = { stdout: process.stdout.write, stderr: process.stderr.write };
  const text = { stdout: '', stderr: '' };
  const home = process.cwd();
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].write = (chunk: string | Uint8Array) => {
      text[name] += String(chunk);
      return true;
    };
  }
  process.exitCode = undefined;
  process.argv[1] = program;
  process.chdir(folder);
  try {
    const code = await runCommand(args, commands);
    return { code, ...text };
  } finally {
    process.chdir(home);
    for (const name of ['stdout', 'stderr'] as const) process[name].write = writes[name];
    process.argv[1] = saved.argv1 ?? '';
    process.exitCode = saved.exitCode;
  }
}
