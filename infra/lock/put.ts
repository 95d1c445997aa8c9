import { existsSync } from 'node:fs';
import { readPrivateKey } from '../../adapter/config/key-files.ts';
import { readTextFile } from '../../adapter/config/read-file.ts';
import { writeFileAtomically } from '../../adapter/config/write-file.ts';
import { thumbprint } from '../../proto/keys/thumbprint.ts';
import { maxLockBytes, openLock } from '../../proto/lock/open.ts';
import type { Lock, LockedFunction } from '../../proto/lock/schema.ts';
import { sealLock } from '../../proto/lock/seal.ts';
import { nodeCrypto } from '../../proto/signature/node.ts';

export interface PutOptions {
  readonly lockFile: string;
  /** Key file of the signer, by `keys create --lock-signer`. */
  readonly signerFile: string;
  /** `name@stage`. */
  readonly name: string;
  readonly entry: LockedFunction;
  /** Keep the versions accepted so far, so that old and new may run while traffic shifts. */
  readonly keepOld?: boolean;
  /** Days until the lock expires: 400 when absent; 0: never. */
  readonly lifeDays?: number;
}

/** Longer than a yearly release, shorter than two: a forgotten deployment is noticed. */
const defaultLifeDays = 400;
const dayMs = 86_400_000;

/**
 * Writes one function into a lock, new or existing, with the next seq, sealed by one key.
 *
 * Returns the lock. Throws LOCK_INVALID when the existing lock is not sealed by this signer, KEY_FILE_* for the
 * signer's file, INPUT_INVALID when the result is no lock.
 */
export async function putFunction(options: PutOptions): Promise<Lock> {
  const { lockFile, signerFile, name, entry } = options;
  const { jwk } = await readPrivateKey(signerFile);
  const { kty, crv, x } = jwk;
  const signer = { keyid: await thumbprint({ kty, crv, x }, nodeCrypto), jwk: { ...jwk } };
  const old = existsSync(lockFile)
    ? await openLock(
        (
          await readTextFile(lockFile, {
            code: 'LOCK_INVALID',
            what: 'the lock',
            exposure: 'public',
            maxBytes: maxLockBytes,
          })
        ).text,
        { place: lockFile, trust: [{ keyid: signer.keyid, jwk: { kty, crv, x } }], threshold: 1 },
      )
    : undefined;
  const before = old?.functions[name];
  const versions = new Set(entry.accepts.map(({ version }) => version));
  const kept =
    options.keepOld && before ? before.accepts.filter(({ version }) => !versions.has(version)) : [];
  const issuedMs = Date.now();
  const lifeDays = options.lifeDays ?? defaultLifeDays;
  const lock: Lock = {
    format: 1,
    seq: (old?.seq ?? 0) + 1,
    issued: new Date(issuedMs).toISOString(),
    ...(lifeDays > 0 ? { expires: new Date(issuedMs + lifeDays * dayMs).toISOString() } : {}),
    functions: { ...old?.functions, [name]: { ...entry, accepts: [...kept, ...entry.accepts] } },
  };
  await writeFileAtomically(lockFile, await sealLock(lock, [signer]), 0o644);
  return lock;
}
