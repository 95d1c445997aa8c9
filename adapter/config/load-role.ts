import { dirname, resolve } from 'node:path';
import { PluginError } from '../../proto/error.ts';
import type { PublicJwk } from '../../proto/keys/jwk.ts';
import type { LockedFunction } from '../../proto/lock/schema.ts';
import { nodeSigningKey } from '../../proto/signature/node.ts';
import type { SigningKey } from '../../proto/signature/port.ts';
import { type AwsSettings, loadAwsSettings } from '../targets/lambda/settings.ts';
import { type CloudflareSettings, loadCloudflareSettings } from '../targets/worker/settings.ts';
import { readCaFile } from './ca-file.ts';
import { readPrivateKey } from './key-files.ts';
import { type LockFiles, loadLock, readLock } from './load-lock.ts';
import type { AcceptedLock } from './lock-history.ts';
import { nearest } from './nearest.ts';
import { parseConfig } from './parse.ts';
import { type FileStamp, readTextFile } from './read-file.ts';
import type { Config, SectionName } from './schema.ts';

const maxConfigBytes = 1024 * 1024;

/** Everything that one role needs from disk, read and checked at one moment. */
export interface RoleFiles<T extends SectionName = SectionName> {
  readonly section: NonNullable<Config[T]>;
  /** `name@stage` of the section's `use`. */
  readonly functionName: string;
  readonly locked: LockedFunction;
  /** Where the lock is, and who may seal it: it is read by these also when the configuration cannot be. */
  readonly lockFiles: LockFiles;
  readonly seq: number;
  /** The lock by seq and content, for the next reading. */
  readonly accepted: AcceptedLock;
  /** RFC 3339; undefined when the lock never expires. */
  readonly lockExpires: string | undefined;
  /** What the lock's expiry does to calls: `lock.onExpired`. */
  readonly onExpired: 'serve' | 'refuse';
  readonly identity: SigningKey;
  /** The public part of `identity`: a local function is told whose calls it may answer. */
  readonly caller: PublicJwk;
  /** Folder of the configuration: addresses of local functions are relative to it. */
  readonly folder: string;
  readonly local: Config['local'];
  /** Folder for what must outlast a restart. */
  readonly state: string | undefined;
  readonly caPem: string | undefined;
  readonly aws: AwsSettings;
  readonly tracing: Config['tracing'];
  /** undefined: nobody looks at what is deployed on Workers. */
  readonly cloudflare: CloudflareSettings | undefined;
  /** Every file read: when a stamp changes, all is read again. */
  readonly stamps: readonly FileStamp[];
}

/** Reads and parses the config file alone. Throws CONFIG_INVALID. */
export async function loadConfig(configPath: string): Promise<{ config: Config; stamp: FileStamp }> {
  const { text, stamp } = await readTextFile(configPath, {
    code: 'CONFIG_INVALID',
    what: 'the configuration',
    exposure: 'public',
    maxBytes: maxConfigBytes,
  });
  return { config: parseConfig(text, configPath), stamp };
}

/** A lock that was taken: well sealed, not older, remembered. */
export interface TakenLock {
  readonly accepted: AcceptedLock;
  readonly functions: Readonly<Record<string, LockedFunction>>;
}

/**
 * Reads config, keys, trust and lock of one plugin type; paths are relative to the config file. Takes the lock
 * that the running process has in force, if any; `onTaken` hears of the one that was taken, also when something that is
 * read after it is wrong.
 *
 * Throws CONFIG_INVALID, KEY_FILE_*, LOCK_* with the place and the remedy.
 */
export async function loadRole<T extends SectionName>(
  configPath: string,
  type: T,
  inForce?: AcceptedLock,
  onTaken: (lock: TakenLock) => void = () => undefined,
): Promise<RoleFiles<T>> {
  const { config, stamp } = await loadConfig(configPath);
  const at = (path: string) => resolve(dirname(configPath), path);
  const section = config[type];
  if (section === undefined) {
    throw new PluginError('CONFIG_INVALID', {
      happened: `${configPath} has no section "${type}", but SFTPGo starts the plugin as one`,
      expected: `${type}: { use: <function of the lock> }`,
      remedy: 'Add the section, or remove the plugin from SFTPGo.',
    });
  }
  const identity = await readPrivateKey(at(config.identity));
  const lockFiles: LockFiles = {
    lockPath: at(config.lock.file),
    trustPath: at(config.trust.file),
    threshold: config.trust.threshold,
    onExpired: config.lock.onExpired,
    history: config.state === undefined ? undefined : { folder: at(config.state), type },
  };
  const { lock, accepted, stamps } = await loadLock({ ...lockFiles, inForce });
  onTaken({ accepted, functions: lock.functions });
  const ca = config.https?.ca === undefined ? undefined : await readCaFile(at(config.https.ca));
  const lockPath = at(config.lock.file);
  const locked = lockedFunction(lock.functions, section.use, type, { configPath, lockPath });
  // a role without a function on Lambda does not depend on AWS's files
  const aws = await loadAwsSettings(locked.target === 'lambda' ? config.aws : undefined, at);
  const workers = locked.target === 'worker' ? config.cloudflare : undefined;
  const cloudflare = await loadCloudflareSettings(workers, at);
  return {
    section,
    functionName: section.use,
    locked,
    lockFiles,
    seq: lock.seq,
    accepted,
    lockExpires: lock.expires,
    onExpired: config.lock.onExpired,
    identity: nodeSigningKey(identity.jwk),
    caller: { kty: identity.jwk.kty, crv: identity.jwk.crv, x: identity.jwk.x },
    folder: resolve(dirname(configPath)),
    local: config.local,
    state: config.state === undefined ? undefined : at(config.state),
    caPem: ca?.text,
    aws: aws.settings,
    tracing: config.tracing,
    cloudflare: cloudflare.settings,
    stamps: [
      stamp,
      identity.stamp,
      ...stamps,
      ...(ca ? [ca.stamp] : []),
      ...aws.stamps,
      ...cloudflare.stamps,
    ],
  };
}

/**
 * What the lock says about the function that a section uses, whether the lock is in force or not.
 *
 * Throws LOCK_INVALID; CONFIG_INVALID when the lock has no such function of this type.
 */
export async function loadLockedFunction(
  configPath: string,
  config: Config,
  type: SectionName,
  functionName: string,
): Promise<LockedFunction> {
  const at = (path: string) => resolve(dirname(configPath), path);
  const lockPath = at(config.lock.file);
  const { lock } = await readLock({
    lockPath,
    trustPath: at(config.trust.file),
    threshold: config.trust.threshold,
  });
  return lockedFunction(lock.functions, functionName, type, { configPath, lockPath });
}

function lockedFunction(
  functions: Readonly<Record<string, LockedFunction>>,
  name: string,
  type: string,
  { configPath, lockPath }: { configPath: string; lockPath: string },
): LockedFunction {
  const locked = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (locked?.type === type) return locked;
  const ofType = Object.keys(functions).filter((known) => functions[known]?.type === type);
  const suggestion = nearest(name, ofType);
  throw new PluginError('CONFIG_INVALID', {
    happened: `${configPath}: ${type}.use names ${name}, which ${locked ? `is a ${locked.type} function` : 'is not in'} ${lockPath}`,
    expected: ofType.length === 0 ? `a lock with a function of type ${type}` : `one of ${ofType.join(', ')}`,
    remedy: suggestion === undefined ? 'Correct `use` or build the lock.' : `Did you mean "${suggestion}"?`,
  });
}
