import { execFile } from 'node:child_process';
import { basename, dirname } from 'node:path';
import { promisify } from 'node:util';
import { PluginError } from '../../proto/error.ts';
import { maxLockBytes } from '../../proto/lock/open.ts';

/**
 * The text of a file as git has it under a revision, `HEAD` or a branch.
 *
 * Throws INPUT_INVALID where there is no git, no such revision, or no such file in it.
 */
export async function committedText(file: string, revision: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(
      'git',
      ['show', '--end-of-options', `${revision}:./${basename(file)}`],
      { cwd: dirname(file), maxBuffer: maxLockBytes },
    );
    return stdout;
  } catch (cause) {
    throw new PluginError('INPUT_INVALID', {
      happened: `git does not show ${file} of ${revision}`,
      expected: 'a lock that is committed there',
      remedy: 'Name two files: lock diff OLD NEW; or another revision: --revision origin/main.',
      cause,
    });
  }
}
