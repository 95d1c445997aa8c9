import { type ChildProcess, spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { PluginError } from '../../../proto/error.ts';
import { firstLine } from './first-line.ts';
import { type LogListener, StderrReader } from './stderr.ts';

/** How a process ended: one of the two is null. */
export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A started plugin, before and after its handshake. */
export interface PluginProcess {
  readonly pid: number;
  /** The first line on stdout; undefined when stdout ended without one. */
  readonly firstLine: Promise<string | undefined>;
  /** Resolves when the process has ended and both its streams are at their end. */
  readonly done: Promise<ExitStatus>;
  /** Has `done` resolved? A grandchild that holds stdout or stderr open keeps it false, as with go-plugin. */
  readonly exited: boolean;
  /** SIGKILL, to this one process. */
  kill(): void;
}

/**
 * Starts a plugin as go-plugin does: this process's stdin, its own pipes for stdout and stderr, no process
 * group, and exactly the given environment.
 *
 * Throws PLUGIN_EXITED when the operating system does not start it.
 */
export async function startProcess(
  cmd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  onLog: LogListener,
): Promise<PluginProcess> {
  const child = spawn(cmd, args, { env: { ...env }, stdio: ['inherit', 'pipe', 'pipe'] });
  const reader = new StderrReader(onLog);
  child.stderr.on('data', (chunk: Buffer) => reader.push(chunk));
  child.stderr.once('end', () => reader.end());
  const line = firstLine(child.stdout);
  let exited = false;
  const done = new Promise<ExitStatus>((resolve) => {
    child.once('close', (code, signal) => {
      exited = true;
      const level = code === 0 ? 'info' : 'error';
      onLog(level, 'plugin process exited', { plugin: cmd, pid: child.pid, code, signal });
      resolve({ code, signal });
    });
  });
  const pid = await started(child, cmd);
  return {
    pid,
    firstLine: line,
    done,
    get exited() {
      return exited;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

function started(child: ChildProcess, cmd: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid ?? 0));
    child.once('error', (cause: NodeJS.ErrnoException) => {
      reject(
        new PluginError('PLUGIN_EXITED', {
          happened: `${cmd} could not be started (${cause.code})`,
          expected: 'an executable file, whose interpreter exists if it is a script',
          remedy: 'Check the path, the execute permission and the first line of the file.',
          cause,
        }),
      );
    });
  });
}

/** What go-plugin tells of a file whose process ended too early: its mode and owner. */
export async function diagnose(cmd: string): Promise<string> {
  try {
    const file = await stat(cmd);
    return `${cmd} has mode ${(file.mode & 0o7777).toString(8)}, owner ${file.uid}, group ${file.gid}`;
  } catch {
    return `${cmd} was looked up in PATH`;
  }
}
