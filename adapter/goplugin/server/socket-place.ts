import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PluginError } from '../../../proto/error.ts';
import type { Environment } from './environment.ts';

/** sockaddr_un holds 108 bytes on Linux, and 104 on macOS, with the final zero. */
const maxPathBytes = process.platform === 'darwin' ? 103 : 107;

/** Where the plugin's socket stands. */
export interface SocketPlace {
  readonly path: string;
  /** After listening: hands the socket to PLUGIN_UNIX_SOCKET_GROUP, if the host named one. */
  share(): void;
  /** Removes the socket and, if it is ours, its folder. Never throws. */
  remove(): void;
}

/**
 * Makes the place for the socket: a new folder that only this user can enter, in PLUGIN_UNIX_SOCKET_DIR, else
 * TMPDIR, else /tmp.
 *
 * A host that runs plugins in containers makes a folder of its own and finds the socket by its base name, so
 * in a PLUGIN_UNIX_SOCKET_DIR that is closed to others the socket stands directly.
 *
 * Throws INPUT_INVALID when the folder cannot be used, the path does not fit a socket's address or the
 * handshake line, or the group is unknown.
 */
export function createSocketPlace(env: Environment): SocketPlace {
  const given = env['PLUGIN_UNIX_SOCKET_DIR'] || undefined;
  const base = resolve(given ?? (env['TMPDIR'] || '/tmp'));
  const groupId = findGroup(env['PLUGIN_UNIX_SOCKET_GROUP'] || undefined);
  const variable = given === undefined ? 'TMPDIR' : 'PLUGIN_UNIX_SOCKET_DIR';
  checkPath(join(base, 'plugin-XXXXXX', 's'), variable);
  try {
    const isClosed = given !== undefined && (statSync(base).mode & 0o007) === 0;
    const folder = isClosed ? undefined : mkdtempSync(join(base, 'plugin-'));
    const path = join(folder ?? base, folder ? 's' : `plugin-${randomBytes(3).toString('hex')}`);
    return {
      path,
      share() {
        if (groupId === undefined) return;
        chownSync(path, -1, groupId);
        chmodSync(path, 0o660);
        if (folder === undefined) return;
        chownSync(folder, -1, groupId);
        chmodSync(folder, 0o710);
      },
      remove() {
        try {
          rmSync(folder ?? path, { recursive: true, force: true });
        } catch {
          // A leftover in a temporary folder is no reason to fail the end of a process.
        }
      },
    };
  } catch (cause) {
    throw new PluginError('INPUT_INVALID', {
      happened: `no folder for the socket can be made in ${base} (${(cause as NodeJS.ErrnoException).code})`,
      expected: 'a folder in which this user may make another',
      remedy: `Set ${variable} to one.`,
      cause,
    });
  }
}

function checkPath(path: string, variable: string): void {
  if (Buffer.byteLength(path) <= maxPathBytes && !/[|\r\n]/.test(path)) return;
  throw new PluginError('INPUT_INVALID', {
    happened: `the socket's path ${JSON.stringify(path)} has ${Buffer.byteLength(path)} bytes`,
    expected: `at most ${maxPathBytes} bytes, without "|" or a line break`,
    remedy: `Set ${variable} to a folder with a shorter path.`,
  });
}

/** A group's number. Names are looked up in /etc/group only: Node has no other way without a process. */
function findGroup(group: string | undefined): number | undefined {
  if (group === undefined) return undefined;
  if (/^\d+$/.test(group)) return Number(group);
  try {
    for (const line of readFileSync('/etc/group', 'utf8').split('\n')) {
      const [name, , id] = line.split(':');
      if (name === group && id !== undefined) return Number(id);
    }
  } catch {
    // Told below: without the file the name is unknown.
  }
  throw new PluginError('INPUT_INVALID', {
    happened: `PLUGIN_UNIX_SOCKET_GROUP is ${JSON.stringify(group)}, which is not in /etc/group`,
    expected: 'a group of this machine, or its number',
    remedy: 'Give the number of the group.',
  });
}
