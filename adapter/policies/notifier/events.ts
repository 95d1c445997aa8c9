/** Names of SFTPGo for what happens to files, as `notifier_options.fs_events` has them. */
export const fsEvents = [
  'download',
  'upload',
  'delete',
  'rename',
  'mkdir',
  'rmdir',
  'copy',
  'ssh_cmd',
  'first-download',
  'first-upload',
  'pre-download',
  'pre-upload',
  'pre-delete',
] as const;

/** All that happened, once: `first-…` comes beside the plain event, and `pre-…` before it. */
export const usualFsEvents = fsEvents.filter((name) => !/^(first|pre)-/.test(name));

/** Names of SFTPGo for what happens to its own objects: `notifier_options.provider_events`. */
export const providerEvents = ['add', 'update', 'delete'] as const;

/** Names of SFTPGo's own objects: `notifier_options.provider_objects`. */
export const providerObjects = [
  'user',
  'folder',
  'group',
  'admin',
  'api_key',
  'share',
  'event_action',
  'event_rule',
  'role',
  'ip_list_entry',
  'configs',
] as const;

/** Numbers of `notifier_options.log_events`, by the names of SFTPGo's SDK (notifier.LogEventType). */
export const logEventNumbers = {
  LoginFailed: 1,
  LoginNoUser: 2,
  NoLoginTried: 3,
  NotNegotiated: 4,
  LoginOK: 5,
} as const;

/** A name of {@link logEventNumbers}. */
export type LogEventName = keyof typeof logEventNumbers;

/** All names of {@link logEventNumbers}. */
export const logEvents = Object.keys(logEventNumbers) as [LogEventName, ...LogEventName[]];
