import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Folders that the executable searches itself, whatever the environment (docs/sftpgo.md, "Environment"). */
const knownPlaces = ['/usr/bin/node', '/usr/local/bin/node'];

/** Oldest Node release the executable runs on. */
export const minimumNodeMajor = 22;

/** Is there a Node ≥ 22 where the executable finds it without help from the environment? */
export async function hasSystemNode(): Promise<boolean> {
  for (const path of knownPlaces) {
    const version = await promisify(execFile)(path, ['--version'], { timeout: 5000 }).then(
      ({ stdout }) => stdout,
      () => '',
    );
    if (Number(/^v(\d+)\./.exec(version)?.[1] ?? 0) >= minimumNodeMajor) return true;
  }
  return false;
}
