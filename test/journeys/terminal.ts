import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** What came of a block of commands. */
export interface Ran {
  /** Of the last command. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One shell, as a reader of the README has it: folders and background programs last from block to block. */
export interface Terminal {
  run(commands: string): Promise<Ran>;
  /** Ends the shell and everything it started. */
  close(): Promise<void>;
}

/**
 * The environment of a reader: this Node first in PATH, nothing of the npm script or the test runner that this
 * process runs under, no tools of the checkout.
 */
export function readersEnvironment(): NodeJS.ProcessEnv {
  const own =
    /^(?:npm_(?:lifecycle|package|execpath|node|command|config_local)|INIT_CWD|NODE_(?:ENV|OPTIONS|PATH)$|VITEST|TEST$)/;
  const kept = Object.entries(process.env).filter(([name]) => !own.test(name));
  const path = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.endsWith('node_modules/.bin'));
  return { ...Object.fromEntries(kept), PATH: [dirname(process.execPath), ...path].join(delimiter) };
}

/** Opens a shell in a folder. */
export async function openTerminal(folder: string): Promise<Terminal> {
  const desk = await mkdtemp(join(tmpdir(), 'terminal-'));
  const shell = spawn('bash', ['--noprofile', '--norc'], {
    cwd: folder,
    env: readersEnvironment(),
    stdio: ['pipe', 'ignore', 'ignore'],
    // a group of its own, which close() ends as a whole
    detached: true,
  });
  const ended = new Promise((resolve) => shell.once('close', resolve));
  return {
    async run(commands) {
      const at = (name: string) => join(desk, name);
      const id = randomUUID();
      await writeFile(at(`${id}.sh`), commands);
      // sourced, so that cd lasts; without stdin, which programs would read instead of the shell
      shell.stdin.write(
        `source ${at(`${id}.sh`)} </dev/null >${at(`${id}.out`)} 2>${at(`${id}.err`)}; echo $? >${at(`${id}.code`)}\n`,
      );
      const exitCode = await written(at(`${id}.code`), shell);
      return {
        exitCode,
        stdout: await readFile(at(`${id}.out`), 'utf8'),
        stderr: await readFile(at(`${id}.err`), 'utf8'),
      };
    },
    async close() {
      if (shell.pid !== undefined) process.kill(-shell.pid, 'SIGKILL');
      await ended;
      await rm(desk, { recursive: true, force: true });
    },
  };
}

async function written(path: string, shell: ChildProcess): Promise<number> {
  for (;;) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text.endsWith('\n')) return Number(text);
    if (shell.exitCode !== null) throw new Error(`the shell ended with ${shell.exitCode}`);
    await delay(50);
  }
}
