import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { PluginError } from '../../proto/error.ts';
import type { AcceptedVersion, LockedFunction } from '../../proto/lock/schema.ts';
import { alone, giveToOwnerOf } from '../config/lock-history.ts';
import { readTextFile } from '../config/read-file.ts';
import { writeFileAtomically } from '../config/write-file.ts';
import type { Log } from '../invoke/connection.ts';

/** A version of a function whose deployment was compared with the lock, and found equal. */
const knownVersion = z.strictObject({
  /** {@link acceptedDigest} of what it was compared with. */
  digest: z.string(),
  /** When, RFC 3339. */
  at: z.iso.datetime(),
  /** What the platform says of this version and would say otherwise of another: RevisionId, LastModified. */
  facts: z.record(z.string(), z.string()),
});

export type KnownVersion = z.infer<typeof knownVersion>;

const stored = z.strictObject({ format: z.literal(1), versions: z.record(z.string(), knownVersion) });

/** About 40 kB: a role uses one function, whose versions come and go. */
const maxVersions = 100;
const maxBytes = 256 * 1024;
/** Longest wait for the file, in ms. */
const patienceMs = 2000;

/** What was verified of the versions of functions, over restarts if there is a state folder. */
export interface KnownVersions {
  /** What was found when this version was last compared and equal; undefined when it never was. */
  get(functionName: string, version: string): Promise<KnownVersion | undefined>;
  put(functionName: string, version: string, known: KnownVersion): Promise<void>;
  /** It differs now: what was found before does not count any more. */
  forget(functionName: string, version: string): Promise<void>;
  /** Resolves when what was told so far is in the file, or after a moment on a disk that hangs. */
  settled(): Promise<void>;
}

/**
 * SHA-256, hex, of what a lock demands of one version: target, address, files and configuration. Another digest
 * means that the version must be compared again.
 */
export function acceptedDigest({ target, address }: LockedFunction, accepted: AcceptedVersion): string {
  const { version, files, config } = accepted;
  return createHash('sha256')
    .update(JSON.stringify(sorted({ target, address, version, files, config })))
    .digest('hex');
}

/** The same value with the names of every object in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([name, inner]) => [name, sorted(inner)]);
}

/**
 * Opens the memory of one role: `<type>.known-versions.json` in the state folder, or in this process alone without
 * one. The file is read at the first question. It never throws: what cannot be read counts as nothing known, and
 * what cannot be written is logged, for then only a restart while the platform cannot be asked costs calls.
 */
export function openKnownVersions(
  state: { readonly folder: string; readonly type: string } | undefined,
  log: Log,
): KnownVersions {
  const path = state && join(state.folder, `${state.type}.known-versions.json`);
  let memory: Promise<Map<string, KnownVersion>> | undefined;
  /** The writing under way: one follows the other. */
  let writing: Promise<void> = Promise.resolve();
  const key = (functionName: string, version: string) => `${functionName}:${version}`;

  function warn(what: string, error: unknown): void {
    const reason = error instanceof PluginError ? error.happened : (Object(error).code ?? 'damaged');
    log.warn(`${path} cannot be ${what} (${reason}): what was verified is not known after a restart`);
  }

  async function read(): Promise<Map<string, KnownVersion>> {
    if (path === undefined) return new Map();
    try {
      const options = {
        code: 'CONFIG_INVALID',
        what: 'the state file',
        exposure: 'public',
        maxBytes,
      } as const;
      const { text } = await readTextFile(path, options);
      return new Map(Object.entries(stored.parse(JSON.parse(text)).versions));
    } catch (error) {
      const missing = error instanceof PluginError && Object(error.cause).code === 'ENOENT';
      if (!missing) warn('read', error);
      return new Map();
    }
  }

  /** What this process goes by. A disk that hangs counts as nothing known. */
  function loaded(): Promise<Map<string, KnownVersion>> {
    memory ??= Promise.race([
      read(),
      sleep(patienceMs, undefined, { ref: false }).then(() => new Map<string, KnownVersion>()),
    ]);
    return memory;
  }

  /** Changes the file as it is now: SFTPGo's `resetpwd` starts a second process beside the one that serves. */
  async function store(edit: (all: Map<string, KnownVersion>) => void): Promise<void> {
    if (state === undefined || path === undefined) return;
    try {
      await mkdir(state.folder, { recursive: true, mode: 0o700 });
      await alone(`${path}.busy`, async () => {
        const all = await read();
        edit(all);
        const kept = [...all].sort(([, a], [, b]) => (a.at < b.at ? 1 : -1)).slice(0, maxVersions);
        const text = JSON.stringify({ format: 1, versions: Object.fromEntries(kept) });
        await writeFileAtomically(path, `${text}\n`, 0o600);
        await giveToOwnerOf(state.folder, path);
      });
    } catch (error) {
      warn('written', error);
    }
  }

  async function change(edit: (all: Map<string, KnownVersion>) => void): Promise<void> {
    edit(await loaded());
    const before = writing;
    writing = before.then(() => store(edit));
    await writing;
  }

  return {
    get: async (functionName, version) => (await loaded()).get(key(functionName, version)),
    put: async (functionName, version, known) =>
      await change((all) => all.set(key(functionName, version), known)),
    forget: async (functionName, version) => await change((all) => all.delete(key(functionName, version))),
    settled: async () => {
      const written = async () => {
        await memory;
        await writing;
      };
      await Promise.race([written(), sleep(patienceMs, undefined, { ref: false })]);
    },
  };
}
