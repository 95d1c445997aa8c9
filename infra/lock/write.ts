import { readPrivateKey, readPublicKeys } from '../../adapter/config/key-files.ts';
import { PluginError } from '../../proto/error.ts';
import type { PublicJwk } from '../../proto/keys/jwk.ts';
import { thumbprint } from '../../proto/keys/thumbprint.ts';
import { openLock, type TrustedSigner } from '../../proto/lock/open.ts';
import type { Lock } from '../../proto/lock/schema.ts';
import { type LockSigner, sealLock } from '../../proto/lock/seal.ts';
import { nodeCrypto } from '../../proto/signature/node.ts';
import { keptPath, keptSeqs, lockText } from './kept.ts';
import { replaceLock } from './replace.ts';

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
  return await opened(files.lockFile, await lockText(files.lockFile), await trustOf(files));
}

/**
 * A lock as it was sealed under an older seq: `locks/<seq>.json`. Throws LOCK_INVALID when it was not kept, or not
 * sealed by somebody trusted.
 */
export async function readKeptLock(files: LockFiles, seq: number): Promise<Lock> {
  const path = keptPath(files.lockFile, seq);
  const lock = await opened(path, await lockText(path), await trustOf(files)).catch((error: unknown) => {
    throw error instanceof PluginError ? unusable(error) : error;
  });
  if (lock?.seq === seq) return lock;
  throw new PluginError('LOCK_INVALID', {
    happened: lock === undefined ? `${path} is not there` : `${path} is the lock with seq ${lock.seq}`,
    expected: `the lock as it was sealed with seq ${seq}`,
    remedy: `Kept are: ${(await keptSeqs(files.lockFile)).join(', ') || 'none'}.`,
  });
}

/**
 * Changes the functions of a lock, new or existing, and writes it with the next seq, sealed by one key. The lock is
 * read right before, and must be the same when it is replaced, so what another command writes is not lost; each sealed
 * lock is kept as `locks/<seq>.json` beside it, and no seq is given twice, whichever lock git has checked out.
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
  const before = await lockText(files.lockFile);
  const old = await opened(files.lockFile, before, await trustOf(files));
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
  await replaceLock(files.lockFile, { before, sealed, seq: lock.seq, copy: 'new' });
  return lock;
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

async function opened(
  place: string,
  text: string | undefined,
  trust: readonly TrustedSigner[],
): Promise<Lock | undefined> {
  return text === undefined ? undefined : await openLock(text, { place, trust, threshold: 1 });
}

function unusable(error: PluginError): PluginError {
  const { code, happened, expected } = error;
  const remedy = 'Name who sealed it with --trust, take the file from git, or name another lock with --to.';
  return new PluginError(code, { happened, expected, remedy, cause: error });
}
