import { PluginError } from '../../../proto/error.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import type { NotifierSection } from '../../policies/notifier/config.ts';
import { logEventNumbers } from '../../policies/notifier/events.ts';
import { isAtLeast, type SftpgoVersion } from './sftpgo-version.ts';

/** `notifier_options` of a plugin entry. */
export interface NotifierOptions {
  readonly fs_events: readonly string[];
  readonly provider_events: readonly string[];
  readonly provider_objects: readonly string[];
  readonly log_events?: readonly number[];
  /** Seconds. */
  readonly retry_max_time: number;
  readonly retry_queue_max_size: number;
}

/** Log events came with this release, and an entry with nothing else with that one. */
const logEventsSince = { any: '2.5.1', alone: '2.6.0' } as const;

/**
 * Which events SFTPGo shall send: those of the section, as far as the function handles them and the release knows
 * them. An event that nobody handles would be queued and sent again until it is too old.
 *
 * @throws PluginError CONFIG_INVALID where nothing is left, which SFTPGo refuses to start with
 */
export function notifierOptionsOf(
  { events, retry }: Pick<NotifierSection, 'events' | 'retry'>,
  functionName: string,
  { handles }: Pick<LockedFunction, 'handles'>,
  version: SftpgoVersion | undefined,
): NotifierOptions {
  const when = <T>(rpc: string, list: readonly T[]): readonly T[] => (handles.includes(rpc) ? list : []);
  const fs = when('SendFsEvent', events.fs);
  const providerEvents = when('SendProviderEvent', events.provider);
  const providerObjects = when('SendProviderEvent', events.objects);
  // SFTPGo counts provider events as none unless both lists have something
  const provider = providerEvents.length > 0 && providerObjects.length > 0;
  const known = isAtLeast(version, logEventsSince.any);
  const log = known ? when('SendLogEvent', events.log) : [];
  const logIsEnough = log.length > 0 && isAtLeast(version, logEventsSince.alone);
  if (fs.length === 0 && !provider && !logIsEnough) throw nothingToSend(functionName, handles, version);
  return {
    fs_events: fs,
    provider_events: provider ? providerEvents : [],
    provider_objects: provider ? providerObjects : [],
    ...(known ? { log_events: log.map((name) => logEventNumbers[name]) } : {}),
    retry_max_time: Math.ceil(retry.maxTime / 1000),
    retry_queue_max_size: retry.queue,
  };
}

function nothingToSend(
  functionName: string,
  handles: readonly string[],
  version: SftpgoVersion | undefined,
): PluginError {
  const release = version === undefined ? 'SFTPGo' : `SFTPGo ${version.join('.')}`;
  return new PluginError('CONFIG_INVALID', {
    happened: `${release} would have no event to send: ${functionName} handles ${handles.join(', ')}`,
    expected: `notifier.events with some that it handles${
      isAtLeast(version, logEventsSince.alone) ? '' : '; log events alone are enough from SFTPGo 2.6.0 on'
    }`,
    remedy: 'List events in notifier.events, or handle their RPC in the function.',
  });
}
