import { chmod, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { thumbprint } from '../../proto/keys/thumbprint.ts';
import type { Lock, LockedFunction } from '../../proto/lock/schema.ts';
import { type LockSigner, sealLock } from '../../proto/lock/seal.ts';
import { nodeCrypto } from '../../proto/signature/node.ts';
import { lockedFunction } from './invoke.ts';
import { newKey, publicOf } from './keys.ts';

/** A key that seals locks. */
export async function newSigner(): Promise<LockSigner & { jwk: ReturnType<typeof newKey> }> {
  const jwk = newKey();
  return { keyid: await thumbprint(publicOf(jwk), nodeCrypto), jwk };
}

/** A lock with one ipfilter function. */
export function lockWith(
  functions: Readonly<Record<string, LockedFunction>>,
  rest: Partial<Lock> = {},
): Lock {
  return { format: 1, seq: 1, issued: '2026-01-01T00:00:00Z', functions: { ...functions }, ...rest };
}

/** A folder as an SFTPGo host has it: configuration, adapter key, trust file, lock. */
export interface RoleFolder {
  readonly path: string;
  readonly configPath: string;
  readonly adapterKey: ReturnType<typeof newKey>;
  readonly functionKey: ReturnType<typeof newKey>;
  readonly signer: Awaited<ReturnType<typeof newSigner>>;
  at(name: string): string;
  write(name: string, text: string, mode?: number): Promise<void>;
  /** Writes the configuration; `lines` follow the section's `use: office`. */
  configure(lines?: readonly string[], top?: readonly string[]): Promise<void>;
  /** Seals and writes a lock with `office@live` at an address. */
  lock(rest?: Partial<Lock>, entry?: Partial<LockedFunction>): Promise<void>;
  remove(): Promise<void>;
}

/** Makes such a folder for a function at `address`. */
export async function makeRoleFolder(address: string): Promise<RoleFolder> {
  const path = await mkdtemp(join(tmpdir(), 'role-'));
  const at = (name: string) => join(path, name);
  const [adapterKey, functionKey] = [newKey(), newKey()];
  const signer = await newSigner();
  const folder: RoleFolder = {
    path,
    configPath: at('serverless.yaml'),
    adapterKey,
    functionKey,
    signer,
    at,
    async write(name, text, mode = 0o600) {
      // at once: a role that polls would read half of it
      await writeFile(at(`${name}.new`), text);
      await chmod(at(`${name}.new`), mode);
      await rename(at(`${name}.new`), at(name));
    },
    async configure(lines = [], top = []) {
      await folder.write(
        'serverless.yaml',
        [
          'identity: adapter.key.json',
          'lock: { file: bundles.lock.json }',
          'trust: { file: signers.jwks.json }',
          ...top,
          'ipfilter:',
          '  use: office',
          ...lines.map((line) => `  ${line}`),
          '',
        ].join('\n'),
      );
    },
    async lock(rest = {}, entry = {}) {
      const office = { ...lockedFunction(address, functionKey), ...entry };
      await folder.write(
        'bundles.lock.json',
        await sealLock(lockWith({ 'office@live': office }, rest), [signer]),
      );
    },
    async remove() {
      await rm(path, { recursive: true });
    },
  };
  await folder.write('adapter.key.json', JSON.stringify(adapterKey));
  await folder.write('signers.jwks.json', JSON.stringify({ keys: [publicOf(signer.jwk)] }));
  await folder.configure();
  await folder.lock();
  return folder;
}
