/**
 * What authors of plugins import: `sftpgo-plugin-serverless/kit`. One function for each type of plugin, what
 * their handlers answer with, and the types of what they get.
 */
export type { ConnectCode } from '../../proto/codes.ts';
export type { FsEvent, LogEvent, ProviderEvent } from '../../proto/gen/wire.ts';
export { type Auth, type AuthPlugin, auth } from './auth.ts';
export type { Beside, Context } from './context.ts';
export {
  type Asking,
  type AskOptions,
  ask,
  askCode,
  askPassword,
  type DialogueAnswer,
  type DialogueStep,
  type Question,
} from './dialogue.ts';
export type { Duration } from './duration.ts';
export type {
  EventSearch,
  FsEventSearch,
  LogEventSearch,
  ProviderEventSearch,
} from './event-search.ts';
export { type Eventsearcher, type EventsearcherPlugin, eventsearcher } from './eventsearcher.ts';
export type { FoundEvent, FoundFsEvent, FoundLogEvent, FoundProviderEvent } from './found-event.ts';
export { FunctionError } from './function-error.ts';
export { type IPFilter, type IPFilterPlugin, type IPRequest, ipfilter } from './ipfilter.ts';
export { type KMS, type KMSPlugin, type KMSRequest, kms } from './kms.ts';
export type { Log, LogFields } from './log.ts';
export {
  accept,
  denyLogin,
  type Login,
  type LoginAnswer,
  type PasswordLogin,
  type PublicKeyLogin,
  type TLSCertLogin,
  type UserRecord,
} from './login.ts';
export {
  type FileName,
  type FileTime,
  type FolderName,
  type FoldersPage,
  type Metadata,
  type MetadataPlugin,
  metadata,
} from './metadata.ts';
export { type EventContext, type Notifier, type NotifierPlugin, notifier } from './notifier.ts';
export type { Plugin } from './plugin.ts';
export { type Offence, type Reported, reportOffender } from './report.ts';
export { allow, deny, type Protocol, type Verdict, type VerdictOptions } from './verdict.ts';
