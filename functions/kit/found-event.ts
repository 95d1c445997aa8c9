import type { JsonField } from './event-json.ts';

/** What every stored event has. */
export interface FoundEvent {
  /** Names the event and sorts like its time: SFTPGo asks for what follows it. */
  readonly id: string;
  /** Nanoseconds since 1970. */
  readonly timestamp: bigint;
  readonly username: string;
  readonly ip?: string;
  readonly role?: string;
  /** The SFTPGo node that it happened on. */
  readonly instanceId?: string;
}

/** A stored event of a file or folder; see {@link FsEvent} for the fields. */
export interface FoundFsEvent extends FoundEvent {
  readonly action: string;
  readonly fsPath: string;
  readonly fsTargetPath?: string;
  readonly virtualPath: string;
  readonly virtualTargetPath?: string;
  readonly sshCmd?: string;
  readonly fileSize?: bigint;
  /** Milliseconds. */
  readonly elapsed?: bigint;
  readonly status: number;
  readonly protocol: string;
  readonly sessionId: string;
  readonly fsProvider: number;
  readonly bucket?: string;
  readonly endpoint?: string;
  readonly openFlags?: number;
}

/** A stored event of SFTPGo's own data; see {@link ProviderEvent} for the fields. */
export interface FoundProviderEvent extends FoundEvent {
  readonly action: string;
  readonly objectType: string;
  readonly objectName: string;
  /** JSON of the object; left out of the answer where SFTPGo does not want it. */
  readonly objectData?: Uint8Array;
}

/** A stored login event; see {@link LogEvent} for the fields. */
export interface FoundLogEvent extends Omit<FoundEvent, 'username'> {
  readonly event: number;
  readonly protocol?: string;
  readonly username?: string;
  readonly message?: string;
}

const text = (key: string, name = key): JsonField => ({ key, name, kind: 'text' });
const integer = (key: string, name = key): JsonField => ({ key, name, kind: 'integer' });
const optional = (field: JsonField): JsonField => ({ ...field, optional: true });

/** The JSON of a {@link FoundFsEvent}, in SFTPGo's order. */
export const fsEventJson: readonly JsonField[] = [
  text('id'),
  integer('timestamp'),
  text('action'),
  text('username'),
  text('fs_path', 'fsPath'),
  optional(text('fs_target_path', 'fsTargetPath')),
  text('virtual_path', 'virtualPath'),
  optional(text('virtual_target_path', 'virtualTargetPath')),
  optional(text('ssh_cmd', 'sshCmd')),
  optional(integer('file_size', 'fileSize')),
  optional(integer('elapsed')),
  integer('status'),
  text('protocol'),
  optional(text('ip')),
  text('session_id', 'sessionId'),
  integer('fs_provider', 'fsProvider'),
  optional(text('bucket')),
  optional(text('endpoint')),
  optional(integer('open_flags', 'openFlags')),
  optional(text('role')),
  optional(text('instance_id', 'instanceId')),
];

/** The JSON of a {@link FoundProviderEvent}, in SFTPGo's order. */
export const providerEventJson: readonly JsonField[] = [
  text('id'),
  integer('timestamp'),
  text('action'),
  text('username'),
  optional(text('ip')),
  text('object_type', 'objectType'),
  text('object_name', 'objectName'),
  { key: 'object_data', name: 'objectData', kind: 'bytes', optional: true },
  optional(text('role')),
  optional(text('instance_id', 'instanceId')),
];

/** The JSON of a {@link FoundLogEvent}, in SFTPGo's order. */
export const logEventJson: readonly JsonField[] = [
  text('id'),
  integer('timestamp'),
  integer('event'),
  optional(text('protocol')),
  optional(text('username')),
  optional(text('ip')),
  optional(text('message')),
  optional(text('role')),
  optional(text('instance_id', 'instanceId')),
];
