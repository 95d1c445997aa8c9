import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readPrivateKey, readPublicKeys } from '../../adapter/config/key-files.ts';
import { readTextFile } from '../../adapter/config/read-file.ts';
import { writeFileAtomically, writeNewFile } from '../../adapter/config/write-file.ts';
import { PluginError } from '../../proto/error.ts';
import type { PublicJwk } from '../../proto/keys/jwk.ts';
import { thumbprint } from '../../proto/keys/thumbprint.ts';
import { maxLockBytes, openLock, type TrustedSigner } from '../../proto/lock/open.ts';
import type { Lock } from '../../proto/lock/schema.ts';
import { type LockSigner, sealLock } from '../../proto/lock/seal.ts';
import { nodeCrypto } from '../../proto/signature/node.ts';

/** A project's lock and the key that seals it. */
export interface LockFiles {
  /** `bundles.lock.json`; need not be there yet. */
  readonly lockFile: string;
  /** Key file of the signer, by `keys create --lock-signer`. */
  readonly signerFile: string;
  /** JWKS of those who may have sealed the lock that is there, besides the signer: for a rotation, or a team. */
  readonly trustFile?: string | undefined;
}

/** What a change makes of the functions of a lock: `{}` where there is no lock yet. */
export type LockChange = (functions: Lock['functions']) => Lock['functions'] | Promise<Lock['functions']>;

/** Longer than a yearly release, shorter than two: a forgotten deployment is noticed. */
const defaultLifeDays = 400;
const dayMs = 86_400_000;

/**
 * The lock of a project; undefined when there is none yet.
 *
 * Throws LOCK_INVALID when it is sealed neither by the signer nor by one of the trust file, KEY_FILE_* for key files.
 */
export async function readLockFile(files: LockFiles): Promise<Lock | undefined> {
  return await openedFile(files.lockFile, await trustOf(files));
}

/**
 * A lock as it was sealed under an older seq: `locks/<seq>.json`. Throws LOCK_INVALID when it was not kept, or not
 * sealed by somebody trusted.
 */
export async function readKeptLock(files: LockFiles, seq: number): Promise<Lock> {
  const path = keptPath(files.lockFile, seq);
  const lock = await openedFile(path, await trustOf(files));
  if (lock?.seq === seq) return lock;
  throw new PluginError('LOCK_INVALID', {
    happened: lock === undefined ? `${path} is not there` : `${path} is the lock with seq ${lock.seq}`,
    expected: `the lock as it was sealed with seq ${seq}`,
    remedy: `Kept are: ${(await keptSeqs(files.lockFile)).join(', ') || 'none'}.`,
  });
}

/**
 * Changes the functions of a lock, new or existing, and writes it with the next seq, sealed by one key. The lock is
 * read right before, so what another command wrote since is not lost; each sealed lock is kept as `locks/<seq>.json`
 * beside it, and no seq is given twice, whichever lock git has checked out.
 *
 * Returns the lock. Throws as {@link readLockFile}, INPUT_INVALID when the result is no lock or another command writes
 * at the same moment.
 */
export async function writeLock(
  files: LockFiles,
  change: LockChange,
  options: { readonly lifeDays?: number | undefined } = {},
): Promise<Lock> {
  const signer = await readSigner(files.signerFile);
  const old = await readLockFile(files);
  const functions = await change(old?.functions ?? {});
  const issuedMs = Date.now();
  const lifeDays = options.lifeDays ?? defaultLifeDays;
  const highest = Math.max(old?.seq ?? 0, ...(await keptSeqs(files.lockFile)));
  const lock: Lock = {
    format: 1,
    seq: highest + 1,
    issued: new Date(issuedMs).toISOString(),
    ...(lifeDays > 0 ? { expires: new Date(issuedMs + lifeDays * dayMs).toISOString() } : {}),
    functions,
  };
  const sealed = await sealLock(lock, [signer]);
  const kept = keptPath(files.lockFile, lock.seq);
  await mkdir(dirname(kept), { recursive: true });
  // the kept one first: a seq that was given stays given, also when this is interrupted
  await writeNewFile(kept, sealed, 0o644).catch((error: unknown) => {
    throw Object(error).code === 'EEXIST' ? writtenMeanwhile(kept) : error;
  });
  await writeFileAtomically(files.lockFile, sealed, 0o644);
  return lock;
}

/** The path under which the sealed lock of a seq is kept. */
export function keptPath(lockFile: string, seq: number): string {
  return join(dirname(lockFile), 'locks', `${seq}.json`);
}

/** Which seqs are kept, ascending. */
export async function keptSeqs(lockFile: string): Promise<number[]> {
  const names = await readdir(dirname(keptPath(lockFile, 0))).catch((error: unknown) => {
    if (Object(error).code === 'ENOENT') return [];
    throw error;
  });
  const seqs = names.map((name) => /^([1-9]\d{0,14})\.json$/.exec(name)?.[1]);
  return seqs
    .filter((seq) => seq !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

/** The text of a lock file, sealed or not: read safely, whoever may write it (git gives it the mode of the umask). */
export async function readLockText(path: string): Promise<string> {
  const { text } = await readTextFile(path, {
    code: 'LOCK_INVALID',
    what: 'the lock',
    exposure: 'any',
    maxBytes: maxLockBytes,
  });
  return text;
}

/** The key that seals. Throws KEY_FILE_*. */
export async function readSigner(file: string): Promise<LockSigner & { readonly jwk: PublicJwk }> {
  const { jwk } = await readPrivateKey(file);
  const { kty, crv, x } = jwk;
  return { keyid: await thumbprint({ kty, crv, x }, nodeCrypto), jwk: { ...jwk } };
}

/** The keys of a trust file. Throws KEY_FILE_INVALID. */
export async function readTrust(file: string): Promise<TrustedSigner[]> {
  const { keys } = await readPublicKeys(file, 'the trust file', 'KEY_FILE_INVALID');
  return await Promise.all(keys.map(async (jwk) => ({ keyid: await thumbprint(jwk, nodeCrypto), jwk })));
}

async function trustOf({ signerFile, trustFile }: LockFiles): Promise<TrustedSigner[]> {
  const { keyid, jwk } = await readSigner(signerFile);
  const { kty, crv, x } = jwk;
  return [{ keyid, jwk: { kty, crv, x } }, ...(trustFile === undefined ? [] : await readTrust(trustFile))];
}

async function openedFile(path: string, trust: readonly TrustedSigner[]): Promise<Lock | undefined> {
  if (!existsSync(path)) return undefined;
  return await openLock(await readLockText(path), { place: path, trust, threshold: 1 });
}

function writtenMeanwhile(path: string): PluginError {
  return new PluginError('INPUT_INVALID', {
    happened: `${path} was written by another command at the same moment`,
    expected: 'one command at a time',
    remedy: 'Run it again.',
  });
}
