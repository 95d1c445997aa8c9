import type { FsEvent, LogEvent, ProviderEvent } from '../../proto/gen/wire.ts';
import type { Attribute } from '../dynamo/client.ts';

/** An event's own attributes; empty texts and zeros are left out. */
export type EventAttributes = Readonly<Record<string, Attribute>>;

/** Attribute names by the event's property: SFTPGo's JSON names. */
const names = {
  fsPath: 'fs_path',
  fsTargetPath: 'fs_target_path',
  virtualPath: 'virtual_path',
  virtualTargetPath: 'virtual_target_path',
  sshCmd: 'ssh_cmd',
  fileSize: 'file_size',
  sessionId: 'session_id',
  fsProvider: 'fs_provider',
  openFlags: 'open_flags',
  objectType: 'object_type',
  objectName: 'object_name',
  objectData: 'object_data',
  instanceId: 'instance_id',
} as const;

/** The attribute of a property. */
export function attributeOf(property: string): string {
  return Object.hasOwn(names, property) ? names[property as keyof typeof names] : property;
}

/** An event as attributes, the timestamp apart: its id holds it. */
export function eventAttributes(event: FsEvent | ProviderEvent | LogEvent): EventAttributes {
  return Object.fromEntries(
    Object.entries(event).flatMap(([property, value]: [string, Attribute | number]) => {
      if (property === 'timestamp' || isEmpty(value)) return [];
      return [[attributeOf(property), typeof value === 'number' ? BigInt(value) : value]];
    }),
  );
}

function isEmpty(value: Attribute | number): boolean {
  if (value instanceof Uint8Array) return value.byteLength === 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === '' || value === 0 || value === 0n;
}

/** About what DynamoDB counts for these attributes, never less: texts and bytes as they are, a number 21 bytes. */
export function sizeOf(attributes: EventAttributes): number {
  const encoder = new TextEncoder();
  const size = (value: Attribute | undefined): number => {
    if (typeof value === 'string') return encoder.encode(value).byteLength;
    if (value instanceof Uint8Array) return value.byteLength;
    if (typeof value === 'object' && value !== null) {
      return Object.entries(value).reduce((sum, [name, inner]) => sum + 8 + name.length * 3 + size(inner), 3);
    }
    return 21;
  };
  return size(attributes as Attribute);
}
