import { PluginError } from '../../../proto/error.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import { pluginTypes } from '../../../proto/plugin-types.ts';
import type { Config, SectionName } from '../../config/schema.ts';
import { isSectionName } from '../../policies/index.ts';
import { kmsOptionsOf } from '../../policies/kms/config.ts';
import { type AuthOptions, authOptionsOf, authRemarks } from './auth-options.ts';
import { type NotifierOptions, notifierOptionsOf } from './notifier-options.ts';
import { isAtLeast, type SftpgoVersion, satisfies } from './sftpgo-version.ts';

/** One entry of `plugins` in SFTPGo's configuration, without a key that the release does not know. */
export interface PluginEntry {
  readonly type: string;
  readonly cmd: string;
  readonly args: readonly string[];
  readonly sha256sum: string;
  readonly auto_mtls: true;
  readonly env_prefix?: string;
  readonly auth_options?: AuthOptions;
  readonly notifier_options?: NotifierOptions;
  readonly kms_options?: { readonly scheme: string; readonly encrypted_status: string };
}

/** What the entries of one host file and one configuration have in common, and where to look functions up. */
export interface EntriesOptions {
  readonly config: Config;
  readonly cmd: string;
  readonly args: readonly string[];
  readonly sha256sum: string;
  /** What SFTPGo hands on of its environment, from 2.6.0 on: a prefix, or `none`. */
  readonly envPrefix: string;
  /** Undefined: the newest. */
  readonly version: SftpgoVersion | undefined;
  /** The function of a section, out of the lock. Called only for types whose entry depends on it. */
  readonly locked: (type: SectionName, functionName: string) => Promise<LockedFunction>;
}

/** Entries, and what to tell beside them. */
export interface Entries {
  readonly entries: readonly PluginEntry[];
  readonly remarks: readonly string[];
}

/**
 * One entry for each section, always in the same order.
 *
 * @throws PluginError CONFIG_INVALID for a type that the release does not have, or options with which it would not
 * start or never finish a login; what `locked` throws
 */
export async function entriesOf(options: EntriesOptions): Promise<Entries> {
  const { config, cmd, args, sha256sum, envPrefix, version } = options;
  const entries: PluginEntry[] = [];
  const remarks: string[] = [];
  for (const type of Object.keys(config).filter(isSectionName)) {
    if (version !== undefined) refuseUnknownType(type, version);
    const own = await ownOptions(type, options);
    remarks.push(...own.remarks);
    entries.push({
      type,
      cmd,
      args,
      sha256sum,
      auto_mtls: true,
      // older ones hand on everything
      ...(isAtLeast(version, '2.6.0') ? { env_prefix: envPrefix } : {}),
      ...own.options,
    });
  }
  return { entries, remarks };
}

function refuseUnknownType(type: SectionName, version: SftpgoVersion): void {
  const { hosts } = pluginTypes[type];
  if (satisfies(version, hosts)) return;
  throw new PluginError('CONFIG_INVALID', {
    happened: `SFTPGo ${version.join('.')} cannot use the section "${type}"`,
    expected: `SFTPGo ${hosts} for plugins of type ${type}`,
    remedy: `Remove the section "${type}", or use another release of SFTPGo.`,
  });
}

type OwnOptions = Pick<PluginEntry, 'auth_options' | 'notifier_options' | 'kms_options'>;

/** The options that only entries of this type have. */
async function ownOptions(
  type: SectionName,
  { config, version, locked }: EntriesOptions,
): Promise<{ options: OwnOptions; remarks: readonly string[] }> {
  if (type === 'auth' && config.auth) {
    const fn = await locked(type, config.auth.use);
    return {
      options: { auth_options: authOptionsOf(config.auth.use, fn) },
      remarks: authRemarks(config.auth.use, fn),
    };
  }
  if (type === 'notifier' && config.notifier) {
    const fn = await locked(type, config.notifier.use);
    return {
      options: { notifier_options: notifierOptionsOf(config.notifier, config.notifier.use, fn, version) },
      remarks: [],
    };
  }
  if (type === 'kms' && config.kms) {
    const options = kmsOptionsOf(config.kms);
    refuseUnknownScheme(options.scheme, version);
    return {
      options: { kms_options: options },
      remarks: [`SFTPGo encrypts with this plugin when its kms.secrets.url begins with ${options.scheme}.`],
    };
  }
  if (type === 'metadata' && version === undefined) {
    return {
      options: {},
      remarks: ['SFTPGo 2.6.0 and later do not start with an entry of type metadata: see --sftpgo-version.'],
    };
  }
  return { options: {}, remarks: [] };
}

/** https://github.com/drakkan/sftpgo/releases: the scheme and status of OCI Vault came late. */
function refuseUnknownScheme(scheme: string, version: SftpgoVersion | undefined): void {
  if (scheme !== 'ocikeyvault' || isAtLeast(version, '2.6.3')) return;
  throw new PluginError('CONFIG_INVALID', {
    happened: `SFTPGo ${version?.join('.')} does not know the kms scheme ${scheme}`,
    expected: 'SFTPGo >=2.6.3',
    remedy: 'Choose another kms.scheme, or use a newer release of SFTPGo.',
  });
}
