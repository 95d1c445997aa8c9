import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PluginError } from '../../proto/error.ts';

/** A turn takes milliseconds: one that was looked at for so long, and is still the same, was left by a killed command. */
const leftBehindMs = 2000;
const patienceMs = 30_000;
const pauseMs = 20;

/** The right to put files in place, which one command at a time has. */
export interface Turn {
  /**
   * Puts one of the turn's files in place, over what is there, at once and whole.
   *
   * Throws INPUT_INVALID when the turn was taken away meanwhile: then nothing changes any more.
   */
  put(name: string, path: string): Promise<void>;
  /** Gives the turn to the next; files that were not put in place are gone. */
  end(): Promise<void>;
}

/**
 * Waits for a turn. `place` is the name that all commands share; `files` are the texts that may be put in place.
 *
 * A turn is a folder with the files in it, written elsewhere and renamed to `place`, which works only where none is, or
 * an empty one. To put a file in place is to rename it out of there. So a command that was killed, or stopped for a
 * while, holds up nobody for ever: its folder is moved away, and with its files it loses the means to write anything.
 *
 * Throws INPUT_INVALID when others have the turn for half a minute.
 */
export async function takeTurn(place: string, files: Readonly<Record<string, string>>): Promise<Turn> {
  const id = randomBytes(6).toString('hex');
  const prepared = `${place}.${id}.tmp`;
  const fileIn = (folder: string, name: string) => join(folder, `${id}.${name}`);
  try {
    await mkdir(prepared, { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeDurably(fileIn(prepared, name), text);
    await untilPlaced(prepared, place);
  } catch (error) {
    await rm(prepared, { recursive: true, force: true });
    throw error;
  }
  return {
    async put(name, path) {
      await rename(fileIn(place, name), path).catch((error: unknown) => {
        throw Object(error).code === 'ENOENT' ? takenAway(path) : error;
      });
    },
    async end() {
      for (const name of Object.keys(files)) await rm(fileIn(place, name), { force: true });
      // by now it may be the next one's, which is not empty
      await rmdir(place).catch(() => undefined);
    },
  };
}

async function untilPlaced(prepared: string, place: string): Promise<void> {
  const startMs = performance.now();
  let seen = { names: '', sinceMs: startMs };
  for (;;) {
    try {
      return await rename(prepared, place);
    } catch (error) {
      // EPERM: Windows, for a folder that is there
      if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(Object(error).code)) throw error;
    }
    const nowMs = performance.now();
    if (nowMs - startMs > patienceMs) throw alwaysBusy(place);
    const names = (await readdir(place).catch(() => [])).join();
    if (names !== seen.names) seen = { names, sinceMs: nowMs };
    else if (nowMs - seen.sinceMs > leftBehindMs) await moveAway(place, `${prepared}.left`);
    await sleep(pauseMs);
  }
}

async function moveAway(place: string, aside: string): Promise<void> {
  await rename(place, aside).catch((error: unknown) => {
    if (Object(error).code !== 'ENOENT') throw error;
  });
  await rm(aside, { recursive: true, force: true });
}

async function writeDurably(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx', 0o644);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function takenAway(path: string): PluginError {
  return new PluginError('INPUT_INVALID', {
    happened: `${path} was not written: this command stood still, and another one took its turn`,
    expected: 'one command at a time',
    remedy: 'Run it again.',
  });
}

function alwaysBusy(place: string): PluginError {
  return new PluginError('INPUT_INVALID', {
    happened: `other commands write ${dirname(place)} all the time`,
    expected: 'one command at a time',
    remedy: 'Look what runs there, and run it again.',
  });
}
