import type { Attribute, AttributeMap } from '../dynamo/client.ts';
import type { FoundFsEvent, FoundLogEvent, FoundProviderEvent } from '../kit/index.ts';

function text(item: AttributeMap, name: string): string {
  const value = item[name];
  return typeof value === 'string' ? value : '';
}

function integer(item: AttributeMap, name: string): bigint {
  const value: Attribute | undefined = item[name];
  return typeof value === 'bigint' ? value : 0n;
}

function common(item: AttributeMap) {
  return {
    id: text(item, 'id'),
    timestamp: integer(item, 'timestamp'),
    username: text(item, 'username'),
    ip: text(item, 'ip'),
    role: text(item, 'role'),
    instanceId: text(item, 'instance_id'),
  };
}

/** A stored item as an event of files and folders. */
export function fsEventOf(item: AttributeMap): FoundFsEvent {
  return {
    ...common(item),
    action: text(item, 'action'),
    fsPath: text(item, 'fs_path'),
    fsTargetPath: text(item, 'fs_target_path'),
    virtualPath: text(item, 'virtual_path'),
    virtualTargetPath: text(item, 'virtual_target_path'),
    sshCmd: text(item, 'ssh_cmd'),
    fileSize: integer(item, 'file_size'),
    elapsed: integer(item, 'elapsed'),
    status: Number(integer(item, 'status')),
    protocol: text(item, 'protocol'),
    sessionId: text(item, 'session_id'),
    fsProvider: Number(integer(item, 'fs_provider')),
    bucket: text(item, 'bucket'),
    endpoint: text(item, 'endpoint'),
    openFlags: Number(integer(item, 'open_flags')),
  };
}

/** A stored item as an event of SFTPGo's own data. */
export function providerEventOf(item: AttributeMap): FoundProviderEvent {
  const data = item['object_data'];
  return {
    ...common(item),
    action: text(item, 'action'),
    objectType: text(item, 'object_type'),
    objectName: text(item, 'object_name'),
    ...(data instanceof Uint8Array ? { objectData: data } : {}),
  };
}

/** A stored item as a login event. */
export function logEventOf(item: AttributeMap): FoundLogEvent {
  return {
    ...common(item),
    event: Number(integer(item, 'event')),
    protocol: text(item, 'protocol'),
    message: text(item, 'message'),
  };
}
